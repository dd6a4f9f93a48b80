// SPDX-License-Identifier: Apache-2.0
// Internal to BucketUpdate: what one step does to a part of the state, traced and compiled. Between a few barriers,
// where norms of whole variables are needed, everything is one program, whose elementwise ops the compiler joins to one
// pass over memory.
#pragma once

#include <memory>
#include <vector>

#include "core/model/layer.h"
#include "core/program/program.h"
#include "core/training/optimizer.h"

namespace strata {

/// The parts of a step, in order. The gradient after `collect` is what clipping sees, the gradient after `direct` what
/// trust ratios see.
enum class UpdatePart {
  collect,  // gradient += d penalty / d variable, divided by the loss scale, accumulated
  direct,   // clipping, weight decay, the rule's direction
  apply,    // the rule's update, averages, constraint
};

/// Parts [first, last] of a step, as one program.
struct UpdateParts {
  UpdatePart first;
  UpdatePart last;
  bool holds(UpdatePart part) const { return first <= part && part <= last; }
  friend auto operator<=>(const UpdateParts&, const UpdateParts&) = default;
};

/// Inputs of an update program by number. Slots follow the scalars of the rule, which follow `first_scalar`. Where the
/// program updates rows by id, the ids come last.
struct UpdateInput {
  static constexpr int learning_rate = 0;
  static constexpr int iteration = 1;  // int64
  static constexpr int loss_scale = 2;
  static constexpr int gradient_square = 3;   // float64: of the variable, or of all when the norm is global
  static constexpr int variable_square = 4;   // float64
  static constexpr int direction_square = 5;  // float64
  static constexpr int gradient = 6;
  static constexpr int variable = 7;
  static constexpr int first_scalar = 8;
};

/// What decides about the update of a variable beside the optimizer. Neighbours of equal treatment share a program.
struct VariableTreatment {
  WeightRule rule;
  std::optional<double> weight_decay;
  bool whole = false;  // its program needs the variable whole and in its shape

  /// Whether one program may update ranges that hold elements of both.
  bool joins(const VariableTreatment& other) const {
    return !whole && !other.whole && weight_decay == other.weight_decay &&
           rule.learning_rate_factor == other.rule.learning_rate_factor;
  }
};

VariableTreatment treatment_of(const Optimizer& optimizer, const WeightRule& rule);

/// Whether rows whose gradient is 0 stay as they are, with their slots, so that a step need not see them.
bool updates_rows_alone(const Optimizer& optimizer, const VariableTreatment& treatment);

/// Of `rows` rows of such a tensor.
inline TensorSpec chunk_spec(const TensorSpec& spec, Dim rows) { return {spec.shape.with(0, rows), spec.dtype}; }

/// Where a step of this optimizer has to wait for norms.
bool clips_by_norm(const OptimizerOptions& options);
inline bool needs_norms(const OptimizerRule& rule) { return rule.scope() == UpdateScope::norms; }

struct UpdateProgram {
  std::shared_ptr<const Program> program;  // null when the parts change nothing
  std::vector<int> targets;                // of each output: the input in whose memory it belongs
};

/// Compiles update programs, and keeps them for further ranges of the same treatment and size.
class UpdateCompiler {
 public:
  UpdateCompiler(Optimizer optimizer, Device& device) : optimizer_(std::move(optimizer)), device_(device) {}
  /// For `count` elements. `updates` tells steps that update from those that only accumulate a gradient. `slots`: the
  /// shapes of the variable's slots, which count when it is whole.
  const UpdateProgram& get(const VariableTreatment& treatment, UpdateParts parts, bool updates, Dtype dtype, Dim count,
                           const std::vector<std::optional<Shape>>& slots);
  /// A whole step for `rows` rows of the variable, given by ids: the variable and its slots come whole, the gradient of
  /// those rows only. REQUIRES: updates_rows_alone().
  UpdateProgram compile_rows(const VariableTreatment& treatment, std::size_t slots, Dim rows);
  const Optimizer& optimizer() const { return optimizer_; }
  Device& device() const { return device_; }

 private:
  struct Made {
    VariableTreatment treatment;
    UpdateParts parts;
    bool updates;
    Dtype dtype;
    Dim count;
    UpdateProgram program;
  };
  Optimizer optimizer_;
  Device& device_;
  std::vector<std::unique_ptr<Made>> made_;
};

}  // namespace strata
