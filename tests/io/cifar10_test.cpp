// SPDX-License-Identifier: Apache-2.0
#include "io/datasets/cifar10.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/io/expect_io_error.h"
#include "tests/support/files.h"

namespace strata {
namespace {

using datasets::cifar10::load_data;
using testing::Bytes;
using testing::expect_io_error;
using testing::gzip;
using testing::write_file;

constexpr std::size_t kPixels = 32 * 32;

/// A sample whose red pixels count up, whose green ones are all `label` + 100, and whose blue ones are 0.
Bytes sample(unsigned char label) {
  Bytes bytes{label};
  for (std::size_t i = 0; i < kPixels; ++i) bytes.push_back(static_cast<unsigned char>(i % 251));
  bytes.insert(bytes.end(), kPixels, static_cast<unsigned char>(label + 100));
  bytes.insert(bytes.end(), kPixels, 0);
  return bytes;
}

Bytes samples(const std::vector<unsigned char>& labels) {
  Bytes bytes;
  for (const unsigned char label : labels) {
    const Bytes one = sample(label);
    bytes.insert(bytes.end(), one.begin(), one.end());
  }
  return bytes;
}

class Cifar10 : public ::testing::Test {
 protected:
  Cifar10() {
    for (unsigned char i = 1; i <= 5; ++i) write(batch(i), samples({i, 0}));
    write("test_batch.bin.gz", gzip(samples({9, 8, 7})));
  }
  static std::string batch(int i) { return "data_batch_" + std::to_string(i) + ".bin"; }
  void write(const std::string& name, const Bytes& bytes) const { write_file(directory_.path(name), bytes); }
  void expect_error(const std::string& name, const std::string& part) const {
    expect_io_error([&] { load_data(directory_.path()); }, directory_.path(name), part);
  }

  testing::TemporaryDirectory directory_;
};

TEST_F(Cifar10, LoadsAllBatchesInOrder) {
  const auto data = load_data(directory_.path());
  EXPECT_EQ(data.x_train.spec(), (TensorSpec{{10, 32, 32, 3}, Dtype::uint8}));
  EXPECT_EQ(data.y_train.spec(), (TensorSpec{{10, 1}, Dtype::uint8}));
  EXPECT_EQ(data.y_train.to_vector<std::uint8_t>(), (Bytes{1, 0, 2, 0, 3, 0, 4, 0, 5, 0}));
  EXPECT_EQ(data.x_test.shape(), (Shape{3, 32, 32, 3}));
  EXPECT_EQ(data.y_test.to_vector<std::uint8_t>(), (Bytes{9, 8, 7}));
}

TEST_F(Cifar10, ColoursAreTheLastAxis) {
  const auto pixels = load_data(directory_.path()).x_train.to_vector<std::uint8_t>();
  const std::size_t third = 2 * kPixels * 3;  // the first of data_batch_2, with label 2
  for (const std::size_t i : {std::size_t{0}, std::size_t{33}, kPixels - 1}) {
    EXPECT_EQ(pixels[third + 3 * i], i % 251);
    EXPECT_EQ(pixels[third + 3 * i + 1], 102);
    EXPECT_EQ(pixels[third + 3 * i + 2], 0);
  }
}

TEST_F(Cifar10, LooksIntoTheUnpackedArchive) {
  const auto inner = directory_.path("cifar-10-batches-bin");
  std::filesystem::create_directory(inner);
  for (int i = 1; i <= 5; ++i) std::filesystem::rename(directory_.path(batch(i)), inner + "/" + batch(i));
  expect_error("cifar-10-batches-bin/test_batch.bin", "no such file");
  std::filesystem::rename(directory_.path("test_batch.bin.gz"), inner + "/test_batch.bin.gz");
  EXPECT_EQ(load_data(directory_.path()).x_train.shape()[0], 10);
}

TEST_F(Cifar10, NamesWhatIsWrong) {
  Bytes cut = samples({1, 2});
  cut.pop_back();
  write(batch(3), cut);
  expect_error(batch(3), "expected samples of 3073 bytes, received 3072 bytes after 1 of them");
  write(batch(3), samples({1, 10}));
  expect_error(batch(3), "expected labels 0 to 9, received 10 at position 1");
  write(batch(3), {});
  expect_error(batch(3), "expected at least one sample, received none");
  std::filesystem::remove(directory_.path(batch(3)));
  expect_error(batch(3), "no such file, neither plain nor with .gz");
  expect_io_error([&] { load_data(directory_.path("nowhere")); }, directory_.path("nowhere"), "nothing there");
}

}  // namespace
}  // namespace strata
