// SPDX-License-Identifier: Apache-2.0
#include "distributed/staged_sum.h"

#include <cstring>

#include "core/program/add_elements.h"
#include "core/program/block_tree.h"

namespace strata {
namespace {

std::size_t bytes_of(const BlockSumSpec& spec) { return static_cast<std::size_t>(spec.count) * size_of(spec.dtype); }

/// Of one place: the largest number of blocks that a rank has.
std::size_t half_bytes(const BlockSumSpec& spec, int ranks) {
  const auto blocks = static_cast<std::size_t>((spec.blocks + ranks - 1) / ranks);
  return (blocks * bytes_of(spec) + 63) / 64 * 64;
}

}  // namespace

std::size_t StagedSumRun::place_bytes(const BlockSumSpec& spec, int ranks) { return 2 * half_bytes(spec, ranks); }

StagedSumRun::StagedSumRun(const BlockSumSpec& spec, SumGroups groups, std::vector<std::byte*> places)
    : dtype_(spec.dtype),
      count_(spec.count),
      bytes_(bytes_of(spec)),
      groups_(std::move(groups)),
      ports_(groups_.ports, groups_.place, 0),
      partials_(spec.partials.begin(), spec.partials.end()),
      places_(std::move(places)),
      half_(half_bytes(spec, groups_.own_size())),
      all_(static_cast<std::size_t>(spec.blocks) * bytes_) {
  for (int rank = 0; rank < groups_.own_size(); ++rank) {
    blocks_.push_back(rank_blocks(spec.blocks, groups_.own_size(), rank));
  }
}

void StagedSumRun::start(const CallStamp& stamp) {
  turn_ = 1 - turn_;
  std::byte* place = places_[static_cast<std::size_t>(groups_.place)] + turn_ * half_;
  for (const void* partial : partials_) {
    if (bytes_ > 0) std::memcpy(place, partial, bytes_);
    place += bytes_;
  }
  bytes_sent_ += static_cast<std::int64_t>(partials_.size() * bytes_);
  done_ = false;
  ports_.arrive(stamp);
}

bool StagedSumRun::advance() {
  if (done_ || !ports_.all_arrived()) return false;
  add_all();
  done_ = true;
  return true;
}

void StagedSumRun::add_all() {
  if (bytes_ == 0) return;
  for (std::size_t rank = 0; rank < places_.size(); ++rank) {
    const IndexRange blocks = blocks_[rank];
    std::memcpy(all_.data() + static_cast<std::size_t>(blocks.first) * bytes_, places_[rank] + turn_ * half_,
                static_cast<std::size_t>(blocks.size()) * bytes_);
  }
  const auto at = [&](std::size_t block) { return all_.data() + block * bytes_; };
  for_each_tree_sum(static_cast<std::size_t>(blocks_.back().last),
                    [&](std::size_t to, std::size_t from) { add_elements(dtype_, at(to), at(from), count_); });
  std::memcpy(partials_[0], all_.data(), bytes_);
}

}  // namespace strata
