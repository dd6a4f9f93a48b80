// SPDX-License-Identifier: Apache-2.0
// What ranks want: asked between steps, so as cheap as a sum of few numbers.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <string>

#include "core/program/communicator.h"

namespace strata {

/// On several questions at once. Collective, as its communicator.
class RankVotes {
 public:
  /// `what` they are about, for messages.
  RankVotes(Communicator& communicator, std::size_t questions, const std::string& what)
      : memory_(communicator.allocate(cpu_device(), questions * sizeof(double))),
        votes_(reinterpret_cast<double*>(memory_->data()), questions),
        partials_{memory_->data()},
        sum_(communicator.prepare_block_sum(
            cpu_device(), {Dtype::float64, static_cast<Dim>(questions), communicator.size(), partials_, what})) {}
  RankVotes(const RankVotes&) = delete;
  RankVotes& operator=(const RankVotes&) = delete;

  /// How many ranks say yes to each, `mine` being what this one says. Valid until the next.
  std::span<const double> count(std::initializer_list<bool> mine) {
    std::copy(mine.begin(), mine.end(), votes_.begin());
    sum_->start();
    sum_->wait();
    return votes_;
  }

 private:
  std::shared_ptr<Storage> memory_;
  std::span<double> votes_;
  void* partials_[1];
  std::unique_ptr<BlockSum> sum_;
};

}  // namespace strata
