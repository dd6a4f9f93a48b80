// SPDX-License-Identifier: Apache-2.0
// Internal to StepEngine: one step of an optimizer, bucket by bucket as their gradients arrive.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/training/bucket_update.h"
#include "core/training/row_update.h"

namespace strata {

/// Bound to the memory of one FlatState and of the gradients. Used from one thread. Where ranks share the state, each
/// has the gradients of all, updates its own part, and gives the others what it has updated.
class OptimizerUpdate {
 public:
  /// `finite_only`: a step whose gradients are not all finite is left out. A LossScaleOptimizer always asks for that.
  OptimizerUpdate(const Optimizer& optimizer, FlatState& state, int threads, bool finite_only = false);
  /// Elements [first, first + count) of `set`; their summed gradient will be in `gradient`. Parts of a variable come
  /// one after the other, the last elements first, next to each other in memory.
  void add_bucket(const FlatSet& set, Dim first, Dim count, void* gradient);
  /// The variable that begins at element `first` of `set`; the list of its rows will be at `gradient`.
  void add_rows(const FlatSet& set, Dim first, const RowLayout& layout, void* gradient);
  bool is_for(const Optimizer& optimizer, bool finite_only) const {
    return compiler_.optimizer() == optimizer && finite_only_ == finite_only;
  }

  // One step, on one thread a stream; allocates nothing. First begin(), then bucket_ready() for every bucket in the
  // order of add_bucket() and add_rows(), last finish(). When every bucket is needed before any can be updated,
  // finish() does so. finish() is collective where ranks share the state.
  void begin(std::int64_t steps, Stream& stream);
  void bucket_ready(const UpdateTeam& team);
  void finish(const UpdateTeam& team);

  /// Whether the last step came to nothing, since its gradients were not finite. Equal on all ranks.
  bool left_out() const { return left_out_; }
  /// The first of `variables` whose gradient was not finite in the last step.
  std::optional<Variable> first_not_finite(const std::vector<Variable>& variables, Stream& stream) const;

 private:
  /// What is updated when one gradient has arrived.
  struct Part {
    std::unique_ptr<RowUpdate> rows;       // a variable by its rows alone; else
    std::unique_ptr<RowSquares> squares;   // likewise, when only finite gradients count
    std::unique_ptr<DenseRows> dense;      // null unless the gradient comes by rows
    std::unique_ptr<BucketUpdate> bucket;  // null: a part of a variable that is updated with a later one
  };
  /// What ranks that share the state tell each other of one set.
  struct SetGathers {
    ShareGather squares;
    ShareGather values;  // but for variables that are updated by rows
  };

  std::size_t first_variable(const FlatSet& set) const;
  UpdateSquares squares_of(const FlatSet& set) const;
  const UpdateNumbers& numbers_of(const FlatSet& set) const;
  bool may_cut(const FlatSet& set, Dim element) const;
  std::unique_ptr<BucketUpdate> make_bucket(const FlatSet& set, Dim first, Dim count, void* gradient);
  void prepare_gathers();
  void check_part(const Part& part, const UpdateTeam& team);
  void update_part(const Part& part, const UpdateTeam& team);
  void leave_out();
  void finish_clipping(const UpdateTeam& team);
  void share_values(Stream& stream);
  bool gradients_are_finite(Stream& stream);
  bool checks() const { return finite_only_ || loss_scaling() != nullptr; }
  bool clips_globally() const { return compiler_.optimizer().options().global_clipnorm.has_value(); }
  const LossScaleOptions* loss_scaling() const { return compiler_.optimizer().loss_scaling(); }

  FlatState& state_;
  UpdateCompiler compiler_;
  int threads_;
  bool finite_only_;
  bool left_out_ = false;
  std::size_t variables_ = 0;         // of all sets
  std::shared_ptr<Storage> squares_;  // of gradients, variables, directions (one a variable), then of all gradients
  std::unique_ptr<RunState> sum_;     // of the gradients' squares
  std::vector<std::unique_ptr<UpdateNumbers>> numbers_;  // one a set
  std::vector<Part> parts_;
  Dim waiting_ = 0;                                // elements of parts that are updated with the next one
  std::vector<std::vector<std::size_t>> by_rows_;  // of each set: variables that are updated by rows
  std::vector<SetGathers> gathers_;                // one a set where ranks share the state, from the first step on
  bool always_changes_ = false;                    // variables, also in steps that only accumulate
  std::int64_t steps_ = 0;
  bool updates_ = true;
  std::size_t ready_ = 0;
  std::vector<double> scalars_before_;  // this step, which may come to nothing
};

}  // namespace strata
