// SPDX-License-Identifier: Apache-2.0
#include "io/datasets/mnist.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "core/base/error.h"
#include "io/idx.h"

namespace strata::datasets::mnist {
namespace {

constexpr Dim kSide = 28;
constexpr int kClasses = 10;

struct Part {
  Tensor images, labels;
};

std::string find_file(const std::string& directory, const std::string& name) {
  const std::string plain = (std::filesystem::path(directory) / name).string();
  std::error_code ignored;
  for (const std::string& path : {plain, plain + ".gz"}) {
    if (std::filesystem::exists(path, ignored)) return path;
  }
  throw IoError(plain, "no such file, neither plain nor with .gz");
}

Tensor read_checked(const std::string& path, const Shape& expected) {
  Tensor tensor = read_idx(path);
  const TensorSpec spec{expected, Dtype::uint8};
  if (tensor.dtype() != spec.dtype || tensor.rank() != expected.rank() || !shapes_fit(tensor.shape(), expected)) {
    throw IoError(path, fmt::format("expected {}, received {}", spec.str(), tensor.spec().str()));
  }
  if (tensor.shape()[0] == 0) throw IoError(path, "expected at least one sample, received none");
  return tensor;
}

void check_labels(const std::string& path, const Tensor& labels) {
  const auto values = labels.to_vector<std::uint8_t>();
  const auto bad = std::find_if(values.begin(), values.end(), [](int label) { return label >= kClasses; });
  if (bad == values.end()) return;
  throw IoError(path, fmt::format("expected labels 0 to {}, received {} at position {}", kClasses - 1, *bad,
                                  bad - values.begin()));
}

Part read_part(const std::string& directory, const std::string& prefix) {
  const std::string image_path = find_file(directory, prefix + "-images-idx3-ubyte");
  const std::string label_path = find_file(directory, prefix + "-labels-idx1-ubyte");
  Part part{read_checked(image_path, {None, kSide, kSide}), read_checked(label_path, {None})};
  const Dim images = part.images.shape()[0], labels = part.labels.shape()[0];
  if (images != labels) {
    throw IoError(label_path,
                  fmt::format("expected {} labels, as many as images in {}, received {}", images, image_path, labels));
  }
  check_labels(label_path, part.labels);
  return part;
}

}  // namespace

Data load_data(const std::string& directory) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(directory, ignored)) {
    throw IoError(directory, "expected a directory with the four MNIST files, received " +
                                 std::string(std::filesystem::exists(directory, ignored) ? "a file" : "nothing there"));
  }
  const Part train = read_part(directory, "train");
  const Part test = read_part(directory, "t10k");
  return {train.images, train.labels, test.images, test.labels};
}

}  // namespace strata::datasets::mnist
