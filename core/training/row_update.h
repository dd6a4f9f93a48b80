// SPDX-License-Identifier: Apache-2.0
// Internal to OptimizerUpdate: what becomes of a gradient by rows.
#pragma once

#include <memory>

#include "core/program/row_list.h"
#include "core/training/flat_state.h"
#include "core/training/share_gather.h"
#include "core/training/update_numbers.h"
#include "core/training/update_program.h"

namespace strata {

/// A list of rows in device memory, summed over all blocks.
struct RowGradient {
  RowLayout layout;
  std::byte* list;
};

/// The ids of a list, as far as this rank owns their rows.
class OwnRowIds {
 public:
  /// `rows`: those of the variable that this rank owns.
  OwnRowIds(Device& device, const RowGradient& list, IndexRange rows);
  /// To be called when the list is complete. Allocates nothing.
  void load(Stream& stream);
  /// In device memory, one a row of the list: -1 for rows of others.
  std::int64_t* data() const { return reinterpret_cast<std::int64_t*>(own_->data()); }
  /// Places in the list: those of own rows, which follow each other.
  IndexRange range() const { return range_; }
  /// Those of all ranks, on the host.
  std::span<const std::int64_t> all() const { return {all_.data(), static_cast<std::size_t>(count_)}; }

 private:
  Device& device_;
  RowGradient list_;
  IndexRange rows_;
  std::shared_ptr<Storage> own_;
  std::vector<std::int64_t> all_, masked_;
  std::int64_t count_ = 0;
  IndexRange range_;
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
  /// Only the chunks that hold rows of this rank, with their ids.
  void run(const OwnRowIds& own, Stream& stream);

 private:
  void run(std::int64_t* ids, IndexRange range, Stream& stream);

  Device& device_;
  RowGradient rows_;
  std::unique_ptr<RunState> state_;
  int ids_, values_;  // inputs
  std::int64_t count_ = 0;
};

/// Updates the rows that a step has touched, and only those, with an optimizer that would leave the others as they are.
class RowUpdate {
 public:
  /// REQUIRES: updates_rows_alone() of the treatment of variable number `variable` of the set. With `shared_by` a rank
  /// updates the touched rows that it owns.
  RowUpdate(UpdateCompiler& compiler, const FlatSet& set, std::size_t variable, const RowGradient& rows,
            const UpdateNumbers& numbers, Communicator* shared_by);
  void run(Stream& stream);
  /// Gives all ranks the rows that run() has updated. Collective.
  void share(Stream& stream);

 private:
  bool prepare_share(Device& device, const FlatSet& set, std::size_t variable, const RowGradient& rows,
                     Communicator& ranks);

  std::unique_ptr<RowChunks> chunks_;  // null when the update changes nothing, or nothing of this rank
  // When it is shared:
  std::unique_ptr<OwnRowIds> own_;
  std::unique_ptr<ShareGather> gather_;
  std::vector<Dim> row_cuts_;  // rank r owns rows [row_cuts_[r], row_cuts_[r + 1])
  std::byte* variable_;
  std::size_t row_bytes_;
};

/// The sum of the squares of a gradient by rows: finite when the gradient is.
class RowSquares {
 public:
  /// `sum`: float64, in device memory.
  RowSquares(Device& device, const RowGradient& rows, double* sum);
  void run(Stream& stream);

 private:
  Device& device_;
  double* sum_;
  RowChunks chunks_;
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
