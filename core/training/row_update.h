// SPDX-License-Identifier: Apache-2.0
// Internal to OptimizerUpdate: what becomes of a gradient by rows.
#pragma once

#include <memory>

#include "core/program/row_list.h"
#include "core/training/flat_state.h"
#include "core/training/update_numbers.h"
#include "core/training/update_program.h"

namespace strata {

/// A list of rows in device memory, summed over all blocks.
struct RowGradient {
  RowLayout layout;
  std::byte* list;
};

/// Calls a program for every chunk of a list: with its ids as one input, its values as another.
class RowChunks {
 public:
  RowChunks(Device& device, const RowGradient& rows, std::shared_ptr<const Program> program, int ids, int values)
      : device_(device),
        rows_(rows),
        state_(std::make_unique<RunState>(std::move(program))),
        ids_(ids),
        values_(values) {}
  RunState& state() { return *state_; }
  /// Allocates nothing.
  void run(Stream& stream);

 private:
  Device& device_;
  RowGradient rows_;
  std::unique_ptr<RunState> state_;
  int ids_, values_;  // inputs
  std::int64_t count_ = 0;
};

/// Updates the rows that a step has touched, and only those, with an optimizer that would leave the others as they are.
class RowUpdate {
 public:
  /// REQUIRES: updates_rows_alone() of the treatment of variable number `variable` of the set.
  RowUpdate(UpdateCompiler& compiler, const FlatSet& set, std::size_t variable, const RowGradient& rows,
            const UpdateNumbers& numbers);
  void run(Stream& stream);

 private:
  std::unique_ptr<RowChunks> chunks_;  // null when the update changes nothing
};

/// Makes the dense gradient of a variable, for optimizers that need it.
class DenseRows {
 public:
  DenseRows(Device& device, const Variable& variable, const RowGradient& rows);
  /// The gradient, valid after run().
  std::byte* data() const { return dense_->data(); }
  void run(Stream& stream);

 private:
  Device& device_;
  std::shared_ptr<Storage> dense_;
  std::unique_ptr<RowChunks> chunks_;
};

}  // namespace strata
