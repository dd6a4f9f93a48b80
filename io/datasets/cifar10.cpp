// SPDX-License-Identifier: Apache-2.0
#include "io/datasets/cifar10.h"

#include <fmt/format.h>

#include <filesystem>
#include <vector>

#include "core/base/error.h"
#include "io/datasets/cifar_format.h"
#include "io/datasets/dataset_files.h"
#include "io/input_file.h"

namespace strata::datasets::cifar10 {
namespace {

using namespace cifar;

constexpr int kClasses = 10;

struct Part {
  std::vector<std::uint8_t> images, labels;

  /// `sample`: the label, then the planes of the colours.
  void add(std::span<const std::uint8_t> sample) {
    labels.push_back(sample[0]);
    const std::size_t start = images.size();
    images.resize(start + kImageBytes);
    interleave(sample.data() + 1, images.data() + start);
  }

  Tensor image_tensor() const { return constant(images, {static_cast<Dim>(labels.size()), kSide, kSide, kColours}); }
  Tensor label_tensor() const { return constant(labels, {static_cast<Dim>(labels.size()), 1}); }
};

void read_file(const std::string& directory, const std::string& name, Part& part) {
  InputFile file(find_file(directory, name));
  const std::size_t before = part.labels.size();
  std::vector<std::uint8_t> sample(1 + kImageBytes);
  for (;;) {
    const std::size_t got = file.read(sample.data(), sample.size());
    if (got == 0) break;
    if (got < sample.size()) {
      throw IoError(file.path(), fmt::format("expected samples of {} bytes, received {} bytes after {} of them",
                                             sample.size(), got, part.labels.size() - before));
    }
    part.add(sample);
  }
  const std::span<const std::uint8_t> labels(part.labels.begin() + static_cast<std::ptrdiff_t>(before),
                                             part.labels.end());
  if (labels.empty()) throw IoError(file.path(), "expected at least one sample, received none");
  check_labels(file.path(), labels, kClasses);
}

}  // namespace

Data load_data(const std::string& directory) {
  require_directory(directory, "the six files of CIFAR-10's binary version");
  const auto unpacked = std::filesystem::path(directory) / "cifar-10-batches-bin";
  std::error_code ignored;
  const std::string files = std::filesystem::is_directory(unpacked, ignored) ? unpacked.string() : directory;
  Part train, test;
  for (int i = 1; i <= 5; ++i) read_file(files, fmt::format("data_batch_{}.bin", i), train);
  read_file(files, "test_batch.bin", test);
  return {train.image_tensor(), train.label_tensor(), test.image_tensor(), test.label_tensor()};
}

}  // namespace strata::datasets::cifar10
