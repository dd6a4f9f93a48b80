// SPDX-License-Identifier: Apache-2.0
// Internal to OptimizerUpdate: applies the optimizer to one range of the flat buffers, in place, on several threads.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/program/blocks.h"
#include "core/training/flat_state.h"
#include "core/training/update_numbers.h"
#include "core/training/update_pass.h"
#include "core/training/update_program.h"

namespace strata {

/// Squared norms, float64, on the device.
struct UpdateSquares {
  double* gradient;  // one a variable of the set, as those below
  double* variable;
  double* direction;
  double* all_gradients;  // one number
};

class BucketUpdate {
 public:
  /// Elements [first, first + count) of `set`, which are whole variables unless the optimizer may cut them; `gradient`
  /// is where their summed gradient will be, which is overwritten. What of them is not this rank's own is only looked
  /// at in check(), for which `checks` asks.
  BucketUpdate(UpdateCompiler& compiler, const FlatSet& set, Dim first, Dim count, void* gradient,
               const UpdateSquares& squares, const UpdateNumbers& numbers, int threads, bool checks);
  // Each runs some of the passes of a step and allocates nothing. The result does not depend on the number of threads.
  /// Only takes the squares of the gradients as they are: finite when these are.
  void check(const UpdateTeam& team) { run(check_, team); }
  /// Only accumulates the gradient.
  void accumulate(const UpdateTeam& team) { run(accumulation_, team); }
  /// Goes as far as possible without all_gradients; with a limit on the norm of all gradients that is to their squares.
  void begin(const UpdateTeam& team) { run(first_, team); }
  /// What needs all_gradients.
  void finish(const UpdateTeam& team) { run(rest_, team); }

 private:
  /// Elements that one program could update.
  struct Range {
    IndexRange elements;
    std::size_t variable;  // the first in it
    VariableTreatment treatment;
  };
  using Passes = std::vector<UpdatePass>;

  void find_ranges(Dim first, Dim count);
  void add_parts(Passes& passes, UpdateParts parts, bool updates);
  std::vector<IndexRange> cut(const Range& range) const;
  UpdateTask update_task(const Range& range, IndexRange elements, const UpdateProgram& program) const;
  /// Squares of `data`, laid out as the set, into squares[variable].
  struct Norm {
    const std::byte* data;
    double* squares;
  };
  void add_norms(Passes& passes, const std::vector<std::size_t>& variables, const std::vector<Norm>& norms);
  void prepare();
  static void run(Passes& passes, const UpdateTeam& team);
  std::size_t bytes(Dim elements) const { return static_cast<std::size_t>(elements) * size_of(dtype_); }

  UpdateCompiler& compiler_;
  const FlatSet& set_;
  std::byte* gradient_;  // of element 0 of the set
  UpdateSquares squares_;
  const UpdateNumbers& numbers_;
  Device& device_;
  Dtype dtype_;
  int threads_;
  std::vector<Range> ranges_;
  std::vector<std::size_t> variables_;  // of the bucket
  std::vector<std::size_t> own_;        // those of which this rank updates at least a part
  std::vector<std::shared_ptr<Storage>> chunk_sums_;
  Passes check_, first_, rest_, accumulation_;
};

}  // namespace strata
