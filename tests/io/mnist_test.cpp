// SPDX-License-Identifier: Apache-2.0
#include "io/datasets/mnist.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>

#include "tests/io/expect_io_error.h"
#include "tests/support/files.h"

namespace strata {
namespace {

using datasets::mnist::load_data;
using testing::Bytes;
using testing::expect_io_error;
using testing::gzip;
using testing::idx;
using testing::ramp;
using testing::write_file;

const std::string kTrainImages = "train-images-idx3-ubyte";
const std::string kTrainLabels = "train-labels-idx1-ubyte";
const std::string kTestImages = "t10k-images-idx3-ubyte";
const std::string kTestLabels = "t10k-labels-idx1-ubyte";

Bytes images(std::uint32_t n) { return idx(8, {n, 28, 28}, ramp(std::size_t{n} * 28 * 28, 253)); }
Bytes labels(std::uint32_t n) { return idx(8, {n}, ramp(n, 10)); }

class Mnist : public ::testing::Test {
 protected:
  Mnist() {
    write(kTrainImages, images(30));
    write(kTrainLabels, labels(30));
    write(kTestImages + ".gz", gzip(images(11)));
    write(kTestLabels + ".gz", gzip(labels(11)));
  }
  void write(const std::string& name, const Bytes& bytes) const { write_file(path(name), bytes); }
  void remove(const std::string& name) const { std::filesystem::remove(path(name)); }
  std::string path(const std::string& name) const { return directory_.path(name); }
  void expect_error(const std::string& name, const std::string& part) const {
    expect_io_error([&] { load_data(directory_.path()); }, path(name), part);
  }

  testing::TemporaryDirectory directory_;
};

TEST_F(Mnist, LoadsPlainAndGzipFiles) {
  const auto data = load_data(directory_.path());
  EXPECT_EQ(data.x_train.spec(), (TensorSpec{{30, 28, 28}, Dtype::uint8}));
  EXPECT_EQ(data.y_train.spec(), (TensorSpec{{30}, Dtype::uint8}));
  EXPECT_EQ(data.x_test.to_vector<std::uint8_t>(), ramp(11 * 28 * 28, 253));
  EXPECT_EQ(data.y_test.to_vector<std::uint8_t>(), ramp(11, 10));
}

TEST_F(Mnist, NamesTheDirectoryThatIsNotThere) {
  expect_io_error([&] { load_data(path("nowhere")); }, path("nowhere"),
                  "expected a directory with the four MNIST files");
  expect_io_error([&] { load_data(path(kTrainImages)); }, path(kTrainImages), "received a file");
}

TEST_F(Mnist, NamesTheMissingFile) {
  remove(kTestLabels + ".gz");
  expect_error(kTestLabels, "no such file, neither plain nor with .gz");
}

TEST_F(Mnist, CountsMustAgree) {
  write(kTrainLabels, labels(29));
  expect_error(kTrainLabels, "expected 30 labels, as many as images in " + path(kTrainImages) + ", received 29");
}

TEST_F(Mnist, LabelsMustBeBelowTen) {
  Bytes file = labels(11);
  file.back() = 10;
  write(kTestLabels + ".gz", gzip(file));
  expect_error(kTestLabels + ".gz", "expected labels 0 to 9, received 10 at position 10");
}

TEST_F(Mnist, ShapesAndTypesMustFit) {
  write(kTrainImages, idx(8, {30, 28, 27}, ramp(30 * 28 * 27, 10)));
  expect_error(kTrainImages, "expected uint8 (None, 28, 28), received uint8 (30, 28, 27)");
  write(kTrainImages, labels(30));
  expect_error(kTrainImages, "received uint8 (30,)");
  write(kTrainImages, idx(0x0D, {0, 28, 28}, {}));
  expect_error(kTrainImages, "received float32 (0, 28, 28)");
  write(kTrainImages, images(0));
  expect_error(kTrainImages, "expected at least one sample");
}

// Known values of Fashion-MNIST (Xiao et al., 2017): ten classes of equal size, the first labels 9 0 0 3, and the mean
// and deviation of the training pixels that everybody normalises by, 0.2860 and 0.3530.
TEST(FashionMnist, LoadsTheRealSet) {
  const std::string directory = STRATA_FASHION_MNIST_DIR;
  if (!std::filesystem::exists(directory)) GTEST_SKIP() << "Fashion-MNIST is not installed";
  const auto data = load_data(directory);
  EXPECT_EQ(data.x_train.shape(), (Shape{60000, 28, 28}));
  EXPECT_EQ(data.x_test.shape(), (Shape{10000, 28, 28}));
  const auto y = data.y_train.to_vector<std::uint8_t>();
  EXPECT_EQ(Bytes(y.begin(), y.begin() + 4), (Bytes{9, 0, 0, 3}));
  for (int label = 0; label < 10; ++label) EXPECT_EQ(std::count(y.begin(), y.end(), label), 6000);
  const auto x = data.x_train.to_vector<std::uint8_t>();
  const double n = static_cast<double>(x.size()) * 255;
  const double mean = std::accumulate(x.begin(), x.end(), 0.0) / n;
  const double squares = std::accumulate(x.begin(), x.end(), 0.0, [](double s, double v) { return s + v * v; });
  EXPECT_NEAR(mean, 0.2860, 5e-5);
  EXPECT_NEAR(std::sqrt(squares / (n * 255) - mean * mean), 0.3530, 5e-5);
}

}  // namespace
}  // namespace strata
