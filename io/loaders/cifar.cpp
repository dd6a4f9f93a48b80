// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "io/datasets/cifar_format.h"
#include "io/loaders/loaders.h"
#include "io/loaders/record_files.h"

namespace strata::loaders {
namespace {

using namespace datasets::cifar;

/// One byte of label or two (coarse, fine), then the planes of the colours.
class CifarSource final : public SampleSource {
 public:
  CifarSource(const std::vector<RecordRange>& ranges, std::size_t labels, std::size_t label, int classes)
      : files_(ranges, labels + kImageBytes), labels_(labels), label_(label), classes_(classes) {
    specs_.x.push_back({{{kSide, kSide, kColours}, Dtype::uint8}, ""});
    specs_.y.push_back({{{1}, Dtype::uint8}, ""});
  }
  Dim rows() const override { return files_.records(); }
  const SampleSpecs& specs() const override { return specs_; }
  std::string name() const override { return files_.path(); }
  std::int64_t bytes_read() const override { return files_.bytes_read(); }

  void read(std::span<const SampleRef> samples, std::span<std::byte* const> to) const override {
    const auto records = std::make_unique_for_overwrite<std::byte[]>(samples.size() * files_.record_bytes());
    files_.read(samples, records.get());
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const auto* record = reinterpret_cast<const std::uint8_t*>(records.get()) + i * files_.record_bytes();
      const std::uint8_t label = record[label_];
      if (label >= classes_) {
        throw IoError(files_.path_of(samples[i].row), fmt::format("expected labels 0 to {}, received {} at sample {}",
                                                                  classes_ - 1, label, samples[i].row));
      }
      if (to[0] != nullptr) interleave(record + labels_, reinterpret_cast<std::uint8_t*>(to[0]) + i * kImageBytes);
      if (to[1] != nullptr) to[1][i] = std::byte{label};
    }
  }

 private:
  RecordFiles files_;
  std::size_t labels_;  // bytes
  std::size_t label_;   // the one that is y
  int classes_;
  SampleSpecs specs_;
};

Dataset cifar(const std::vector<std::string>& paths, std::size_t labels, std::size_t label, int classes) {
  if (paths.empty()) throw ConfigError("loaders::cifar: expected at least one file, received none");
  std::vector<RecordRange> ranges;
  const std::size_t record = labels + kImageBytes;
  for (const std::string& path : paths) {
    const std::size_t bytes = file_size(path);
    if (bytes == 0 || bytes % record != 0) {
      throw IoError(path, fmt::format("expected samples of {} bytes, received {} bytes", record, bytes));
    }
    ranges.push_back({path, 0, static_cast<Dim>(bytes / record)});
  }
  return Dataset::from_source(std::make_shared<CifarSource>(ranges, labels, label, classes));
}

}  // namespace

Dataset cifar10(const std::vector<std::string>& paths) { return cifar(paths, 1, 0, 10); }

Dataset cifar100(const std::vector<std::string>& paths, bool coarse_labels) {
  return cifar(paths, 2, coarse_labels ? 0 : 1, coarse_labels ? 20 : 100);
}

}  // namespace strata::loaders
