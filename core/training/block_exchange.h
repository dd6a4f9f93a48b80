// SPDX-License-Identifier: Apache-2.0
// The sums over blocks in the middle of a step's program (ops::block_sum): their memory and their communication.
#pragma once

#include <memory>
#include <vector>

#include "core/program/communicator.h"
#include "core/program/program.h"

namespace strata {

/// A prepared sum for each instruction of ops::block_sum in the programs of a step, by its place among them. Each sum
/// is a step of its own for all ranks: every block puts its value, one thread runs the sum, every block takes the
/// result.
class BlockExchange {
 public:
  /// Collective. The sums are those of `program`; `blocks` counts those of all ranks.
  BlockExchange(const Program& program, Dim blocks, Device& device, Communicator& communicator);

  std::size_t size() const { return sums_.size(); }
  /// Throws ConfigError unless a program for blocks of another size meets the same sums.
  void require_same(const Program& program) const;

  /// Enqueues what a block of this rank adds; null adds nothing.
  void put(std::size_t sum, Dim block, const void* value, Stream& stream);
  /// Once every block of this rank has put its value. Throws CommError as PreparedCollective does.
  void run(std::size_t sum);
  /// Enqueues the copy of the result to `value`.
  void take(std::size_t sum, void* value, Stream& stream) const;

 private:
  struct Sum {
    TensorSpec spec;
    std::shared_ptr<Storage> storage;
    std::vector<void*> partials;  // one a block of this rank
    std::unique_ptr<PreparedCollective> prepared;
  };

  Device& device_;
  std::vector<Sum> sums_;
};

}  // namespace strata
