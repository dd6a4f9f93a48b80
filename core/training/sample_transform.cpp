// SPDX-License-Identifier: Apache-2.0
#include "core/training/sample_transform.h"

#include <algorithm>

#include "core/base/error.h"

namespace strata {
namespace {

std::vector<SampleArray>& part_of(SampleSpecs& specs, SampleTarget::Part part) {
  if (part == SampleTarget::Part::x) return specs.x;
  return part == SampleTarget::Part::y ? specs.y : specs.sample_weight;
}

std::size_t place_of(const std::vector<SampleArray>& arrays, const SampleTarget& target) {
  if (!target.name.empty()) {
    const auto found = std::find_if(arrays.begin(), arrays.end(), [&](const auto& a) { return a.name == target.name; });
    if (found != arrays.end()) return static_cast<std::size_t>(found - arrays.begin());
    throw ConfigError("Dataset::map: the samples have no array \"" + target.name + "\" in this part");
  }
  if (target.index >= 0 && static_cast<std::size_t>(target.index) < arrays.size()) {
    return static_cast<std::size_t>(target.index);
  }
  throw ConfigError("Dataset::map: expected the index of one of " + std::to_string(arrays.size()) +
                    " arrays, received " + std::to_string(target.index));
}

/// Samples are read and changed in pieces, so that they still are in the processor's cache when they are changed.
constexpr std::size_t kMostSamples = 32, kMostBytes = std::size_t{1} << 19U;

class TransformedSource final : public DerivedSource {
 public:
  TransformedSource(SampleSourceRef source, std::shared_ptr<const SampleTransform> transform,
                    const SampleTarget& target)
      : DerivedSource(std::move(source)), transform_(std::move(transform)) {
    auto& part = part_of(specs_, target.part);
    const std::size_t place = place_of(part, target);
    array_ = place;
    if (target.part != SampleTarget::Part::x) array_ += specs_.x.size();
    if (target.part == SampleTarget::Part::sample_weight) array_ += specs_.y.size();
    from_ = part[place].row;
    part[place].row = transform_->infer(from_);
    to_bytes_ = part[place].row.bytes();
    for (const SampleArray& array : source_->specs().all()) row_bytes_.push_back(array.row.bytes());
  }

  void read(std::span<const SampleRef> samples, std::span<std::byte* const> to) const override {
    if (to[array_] == nullptr) return source_->read(samples, to);
    const std::size_t from_bytes = row_bytes_[array_], fitting = kMostBytes / std::max<std::size_t>(from_bytes, 1);
    const std::size_t most = std::min(samples.size(), std::clamp<std::size_t>(fitting, 1, kMostSamples));
    const auto before = std::make_unique_for_overwrite<std::byte[]>(most * from_bytes);
    std::vector<std::byte*> place(to.begin(), to.end());
    for (std::size_t first = 0; first < samples.size(); first += most) {
      const auto piece = samples.subspan(first, std::min(most, samples.size() - first));
      for (std::size_t k = 0; k < place.size(); ++k) {
        if (to[k] != nullptr) place[k] = to[k] + first * row_bytes_[k];
      }
      place[array_] = before.get();
      source_->read(piece, place);
      for (std::size_t i = 0; i < piece.size(); ++i) {
        transform_->apply(from_, before.get() + i * from_bytes, to[array_] + (first + i) * to_bytes_, piece[i]);
      }
    }
  }

 private:
  std::shared_ptr<const SampleTransform> transform_;
  std::size_t array_ = 0;
  TensorSpec from_;
  std::size_t to_bytes_ = 0;
  std::vector<std::size_t> row_bytes_;  // as the source has them
};

}  // namespace

SampleSourceRef make_transformed_source(SampleSourceRef source, std::shared_ptr<const SampleTransform> transform,
                                        const SampleTarget& target) {
  return std::make_shared<TransformedSource>(std::move(source), std::move(transform), target);
}

}  // namespace strata
