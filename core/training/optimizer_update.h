// SPDX-License-Identifier: Apache-2.0
// Internal to StepEngine: one step of an optimizer, bucket by bucket as their gradients arrive.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/training/bucket_update.h"
#include "core/training/row_update.h"

namespace strata {

/// Bound to the memory of one FlatState and of the gradients. Used from one thread.
class OptimizerUpdate {
 public:
  OptimizerUpdate(const Optimizer& optimizer, FlatState& state, int threads);
  /// Elements [first, first + count) of `set`, which are whole variables; their summed gradient will be in `gradient`.
  void add_bucket(const FlatSet& set, Dim first, Dim count, void* gradient);
  /// The variable that begins at element `first` of `set`; the list of its rows will be at `gradient`.
  void add_rows(const FlatSet& set, Dim first, const RowLayout& layout, void* gradient);
  bool is_for(const Optimizer& optimizer) const { return compiler_.optimizer() == optimizer; }

  // One step, on one thread a stream; allocates nothing. First begin(), then bucket_ready() for every bucket in the
  // order of add_bucket() and add_rows(), last finish(). When every bucket is needed before any can be updated,
  // finish() does so.
  void begin(std::int64_t steps, Stream& stream);
  void bucket_ready(std::span<const std::unique_ptr<Stream>> streams);
  void finish(std::span<const std::unique_ptr<Stream>> streams);

 private:
  /// What is updated when one gradient has arrived.
  struct Part {
    std::unique_ptr<RowUpdate> rows;   // a variable by its rows alone; else
    std::unique_ptr<DenseRows> dense;  // null unless the gradient comes by rows
    std::unique_ptr<BucketUpdate> bucket;
  };

  UpdateSquares squares_of(const FlatSet& set) const;
  const UpdateNumbers& numbers_of(const FlatSet& set) const;
  std::unique_ptr<BucketUpdate> make_bucket(const FlatSet& set, Dim first, Dim count, void* gradient);
  void update_part(const Part& part, std::span<const std::unique_ptr<Stream>> streams);
  bool gradients_are_finite(Stream& stream);
  bool clips_globally() const { return compiler_.optimizer().options().global_clipnorm.has_value(); }
  const LossScaleOptions* loss_scaling() const { return compiler_.optimizer().loss_scaling(); }

  FlatState& state_;
  UpdateCompiler compiler_;
  int threads_;
  std::size_t variables_ = 0;         // of all sets
  std::shared_ptr<Storage> squares_;  // of gradients, variables, directions (one a variable), then of all gradients
  std::unique_ptr<RunState> sum_;     // of the gradients' squares
  std::vector<std::unique_ptr<UpdateNumbers>> numbers_;  // one a set
  std::vector<Part> parts_;
  std::int64_t steps_ = 0;
  bool updates_ = true;
  std::size_t ready_ = 0;
  std::vector<double> scalars_before_;  // this step, which may come to nothing
};

}  // namespace strata
