// SPDX-License-Identifier: Apache-2.0
#include "io/datasets/mnist.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "io/datasets/dataset_files.h"
#include "io/idx.h"

namespace strata::datasets::mnist {
namespace {

constexpr Dim kSide = 28;
constexpr int kClasses = 10;

struct Part {
  Tensor images, labels;
};

Tensor read_checked(const std::string& path, const Shape& expected) {
  Tensor tensor = read_idx(path);
  const TensorSpec spec{expected, Dtype::uint8};
  if (tensor.dtype() != spec.dtype || tensor.rank() != expected.rank() || !shapes_fit(tensor.shape(), expected)) {
    throw IoError(path, fmt::format("expected {}, received {}", spec.str(), tensor.spec().str()));
  }
  if (tensor.shape()[0] == 0) throw IoError(path, "expected at least one sample, received none");
  return tensor;
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
  check_labels(label_path, part.labels.to_vector<std::uint8_t>(), kClasses);
  return part;
}

}  // namespace

Data load_data(const std::string& directory) {
  require_directory(directory, "the four MNIST files");
  const Part train = read_part(directory, "train");
  const Part test = read_part(directory, "t10k");
  return {train.images, train.labels, test.images, test.labels};
}

}  // namespace strata::datasets::mnist
