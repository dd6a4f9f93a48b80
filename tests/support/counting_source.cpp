// SPDX-License-Identifier: Apache-2.0
#include "tests/support/counting_source.h"

#include <cstring>

namespace strata::testing {

CountingSource::CountingSource(Dim rows, ChunkLayout chunks, Dim width)
    : rows_(rows), chunks_(std::move(chunks)), width_(width) {
  specs_.x.push_back({{{width}, Dtype::float32}, ""});
  specs_.y.push_back({{{}, Dtype::int32}, ""});
}

float CountingSource::value(Dim row, Dim column, Dim rows) {
  return static_cast<float>(row) / static_cast<float>(rows) - 0.3F * static_cast<float>(column);
}

void CountingSource::read(std::span<const SampleRef> samples, std::span<std::byte* const> to) const {
  if (before_read) before_read(samples);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Dim row = samples[i].row;
    for (Dim c = 0; to[0] != nullptr && c < width_; ++c) {
      const float x = value(row, c, rows_);
      std::memcpy(to[0] + (i * static_cast<std::size_t>(width_) + static_cast<std::size_t>(c)) * sizeof x, &x,
                  sizeof x);
    }
    const auto y = static_cast<std::int32_t>(row % 3);
    if (to[1] != nullptr) std::memcpy(to[1] + i * sizeof y, &y, sizeof y);
  }
  const std::lock_guard lock(mutex_);
  seen_.insert(seen_.end(), samples.begin(), samples.end());
}

std::vector<SampleRef> CountingSource::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

void CountingSource::forget() const {
  const std::lock_guard lock(mutex_);
  seen_.clear();
}

}  // namespace strata::testing
