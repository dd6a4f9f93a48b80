// SPDX-License-Identifier: Apache-2.0
// Internal to PointToPointCommunicator: a sum as it knows it, with the deadline, the list of running sums and the state
// after an error.
#pragma once

#include <memory>
#include <string>

#include "core/program/rounding_errors.h"
#include "distributed/point_to_point.h"

namespace strata {

/// What is equal on all ranks of one prepared sum.
struct SumKey {
  CallKind kind;
  std::uint64_t bytes;
  std::uint64_t detail;
};

class PointToPointCommunicator::PreparedSum final : public PreparedCollective, public KeepsRoundingErrors {
 public:
  PreparedSum(PointToPointCommunicator& communicator, std::string name, const SumKey& key, std::unique_ptr<SumRun> run);
  ~PreparedSum() override;

  void start() override;
  bool advance() override;
  void wait() override;
  RoundingErrors rounding_errors() const override { return run_->rounding_errors(); }

  bool done() const;
  SumRun& run() const { return *run_; }
  /// Whether it is done; if so notes that it is. Once for each start.
  bool finished() const;
  /// Of the time under way, or the last one.
  const CallStamp& stamp() const { return stamp_; }

 private:
  PointToPointCommunicator& communicator_;
  std::string name_;
  SumKey key_;
  CallStamp stamp_;
  std::int32_t track_;  // of a timeline
  CallRecorder::Entry entry_;
  std::unique_ptr<SumRun> run_;
};

}  // namespace strata
