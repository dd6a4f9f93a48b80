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
/// updates its own part, for which it needs the gradients of that part alone, and gives the others what it has updated.
class OptimizerUpdate {
 public:
  /// `finite_only`: a step whose gradients are not all finite is left out. A LossScaleOptimizer always asks for that.
  OptimizerUpdate(const Optimizer& optimizer, FlatState& state, int threads, bool finite_only = false);
  /// Whether every rank has to have all gradients, to see whether they are finite.
  static bool needs_all_gradients(const Optimizer& optimizer, bool finite_only) {
    return finite_only || optimizer.loss_scaling() != nullptr;
  }
  // The same on all ranks where they share the state; then collective.
  /// Elements [first, first + count) of `set`; their summed gradient will be in `gradient`. Parts of a variable come
  /// one after the other, the last elements first, next to each other in memory. `name`: what they are, for messages.
  void add_bucket(const FlatSet& set, Dim first, Dim count, void* gradient, const std::string& name);
  /// The variable that begins at element `first` of `set`; the list of its rows will be at `gradient`.
  void add_rows(const FlatSet& set, Dim first, const RowLayout& layout, void* gradient, const std::string& name);
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
    std::unique_ptr<RowUpdate> rows;             // a variable by its rows alone; else
    std::unique_ptr<RowSquares> squares;         // likewise, when only finite gradients count
    std::unique_ptr<DenseRows> dense;            // null unless the gradient comes by rows
    std::unique_ptr<BucketUpdate> bucket;        // null: a part of a variable that is updated with a later one
    std::unique_ptr<PreparedCollective> values;  // of the bucket, where ranks share the state
  };

  std::size_t first_variable(const FlatSet& set) const;
  UpdateSquares squares_of(const FlatSet& set) const;
  const UpdateNumbers& numbers_of(const FlatSet& set) const;
  bool may_cut(const FlatSet& set, Dim element) const;
  void set_bucket(Part& part, const FlatSet& set, IndexRange elements, void* gradient, const std::string& name);
  void prepare_gathers();
  void check_part(const Part& part, const UpdateTeam& team);
  void update_part(const Part& part, const UpdateTeam& team);
  void leave_out();
  void finish_clipping(const UpdateTeam& team);
  void share_part(const Part& part, const UpdateTeam& team);
  void share_rest(const UpdateTeam& team);
  bool gradients_are_finite(Stream& stream);
  bool checks() const { return needs_all_gradients(compiler_.optimizer(), finite_only_); }
  /// Whether parts are complete as soon as they are updated.
  bool updates_at_once() const { return !checks() && !(updates_ && clips_globally()); }
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
  Dim waiting_ = 0;  // elements of parts that are updated with the next one
  std::vector<ShareGather>
      squares_of_shares_;        // one a set where ranks share the state and the norm of all gradients counts
  bool always_changes_ = false;  // variables, also in steps that only accumulate
  std::int64_t steps_ = 0;
  bool updates_ = true;
  std::size_t ready_ = 0;
  std::vector<double> scalars_before_;  // this step, which may come to nothing
};

}  // namespace strata
