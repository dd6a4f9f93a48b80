// SPDX-License-Identifier: Apache-2.0
// Whether any rank wants to stop: asked between steps, so as cheap as a sum of one number.
#pragma once

#include <memory>

#include "core/program/communicator.h"

namespace strata {

/// Collective, as its communicator.
class StopVote {
 public:
  explicit StopVote(Communicator& communicator)
      : memory_(communicator.allocate(cpu_device(), sizeof(double))),
        partials_{memory_->data()},
        sum_(communicator.prepare_block_sum(
            cpu_device(), {Dtype::float64, 1, communicator.size(), partials_, "which ranks want to stop"})) {}
  StopVote(const StopVote&) = delete;
  StopVote& operator=(const StopVote&) = delete;

  bool any(bool mine) {
    auto* votes = reinterpret_cast<double*>(memory_->data());
    *votes = mine ? 1.0 : 0.0;
    sum_->start();
    sum_->wait();
    return *votes > 0;
  }

 private:
  std::shared_ptr<Storage> memory_;
  void* partials_[1];
  std::unique_ptr<PreparedCollective> sum_;
};

}  // namespace strata
