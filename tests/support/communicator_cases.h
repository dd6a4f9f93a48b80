// SPDX-License-Identifier: Apache-2.0
// What every communicator must do, as cases that run on any of them: threads, or processes under MPI.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/program/communicator.h"

namespace strata::testing {

/// Collective. Throws std::runtime_error saying what was wrong.
struct CommunicatorCase {
  const char* name;
  void (*run)(Communicator&);
};
std::span<const CommunicatorCase> communicator_cases();

/// Throws std::runtime_error with `what` unless `condition`.
void require(bool condition, const std::string& what);

/// The partial of one block: values of all signs with magnitudes from 2^-40 to 2^40, so that sums depend on their
/// order.
template <class T>
std::vector<T> block_values(Dim block, Dim count);
/// The canonical sum of the partials of all blocks, level by level as BlockSumSpec describes it.
template <class T>
std::vector<T> canonical_sum(std::vector<std::vector<T>> partials);

/// Sums lists of rows, of which blocks touch from none to most, several times over, and compares with dense sums.
template <class T>
void row_sum_on(Communicator& communicator, Device& device, Dim blocks, Dim width);
void row_sum_case(Communicator& communicator);
void reduce_scatter_case(Communicator& communicator);
void allgather_in_place_case(Communicator& communicator);

/// The partials of one rank, filled with block_values, in memory of the communicator.
template <class T>
struct Partials {
  Partials(Communicator& communicator, Device& device, Dim blocks, Dim count);
  void fill();
  BlockSumSpec spec() const { return {dtype_of<T>(), count, blocks, pointers}; }
  /// Throws std::runtime_error unless the first partial is canonical_sum, bit by bit.
  void require_sum() const;

  Device& device;
  Dim blocks;
  Dim count;
  IndexRange own;
  std::shared_ptr<Storage> memory;  // of all blocks, one after the other
  std::vector<void*> pointers;
};

}  // namespace strata::testing
