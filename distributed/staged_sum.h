// SPDX-License-Identifier: Apache-2.0
// A small sum between ranks of one host, at the cost of one look at each other's memory.
#pragma once

#include <memory>
#include <vector>

#include "distributed/sum_group.h"
#include "distributed/sum_run.h"

namespace strata {

/// Every rank copies its partials to a place of its own in shared memory and tells; when all have told, every rank adds
/// all partials up for itself. Two places are used in turn: who fills one again has seen everybody fill the other, and
/// so be through with this one.
class StagedSumRun final : public SumRun {
 public:
  /// Of all partials together: beyond, sharing the work out is faster.
  static constexpr std::size_t kMostBytes = 32 * 1024;

  /// The size of a rank's places for such a sum.
  static std::size_t place_bytes(const BlockSumSpec& spec, int ranks);

  /// `places` are those of all ranks, behind which their memory is kept. Host memory only. `spec` has been checked.
  StagedSumRun(const BlockSumSpec& spec, SumGroups groups, std::vector<std::byte*> places);

  void start(const CallStamp& stamp) override;
  bool advance() override;
  bool done() const override { return done_; }
  Awaited awaited() const override { return {ports_.first_missing(), Awaited::What::arrival}; }
  void cancel() noexcept override { done_ = true; }
  std::int64_t bytes_sent() const override { return bytes_sent_; }

 private:
  void add_all();

  Dtype dtype_;
  Dim count_;
  std::size_t bytes_;  // of one partial
  SumGroups groups_;
  PortWatch ports_;
  std::vector<void*> partials_;     // this rank's
  std::vector<std::byte*> places_;  // of all ranks
  std::vector<IndexRange> blocks_;  // of all ranks
  std::size_t half_;                // bytes of one of a rank's two places
  std::vector<std::byte> all_;      // all partials
  std::size_t turn_ = 0;
  bool done_ = true;
  std::int64_t bytes_sent_ = 0;
};

}  // namespace strata
