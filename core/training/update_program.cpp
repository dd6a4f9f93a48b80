// SPDX-License-Identifier: Apache-2.0
#include "core/training/update_program.h"

#include "core/base/error.h"
#include "core/ops/ops.h"
#include "core/program/autodiff.h"

namespace strata {
namespace {

Tensor norm(const Tensor& square, Dtype dtype) { return ops::cast(ops::sqrt(square), dtype); }

/// Rounded down.
Tensor divided(const Tensor& count, int by) { return ops::divide(count, scalar(by, count.dtype())); }

/// Zeros that take no memory and no pass of their own; `x` itself is never seen, not even a NaN.
Tensor zeros_in_place_of(const Tensor& x) {
  return ops::select(scalar(0.0, Dtype::boolean), x, scalar(0.0, x.dtype()));
}

/// What an update is traced for.
struct UpdateShapes {
  Dtype dtype;
  Shape state;                              // of the variable
  std::vector<std::optional<Shape>> slots;  // none where the variable has no such slot
  std::optional<Dim> rows = {};             // that are updated, given by ids; none = all
};

/// Traces the update of one range, of one whole variable, or of some of its rows. State that a part changes is changed
/// in `in_`.
class UpdateTracer {
 public:
  UpdateTracer(const Optimizer& optimizer, const VariableTreatment& treatment, const UpdateShapes& shapes)
      : optimizer_(optimizer), options_(optimizer.options()), treatment_(treatment), dtype_(shapes.dtype) {
    in_.learning_rate = add_input({}, dtype_);
    in_.iteration = add_input({}, Dtype::int64);
    loss_scale_ = add_input({}, widened(dtype_));
    gradient_square_ = add_input({}, Dtype::float64);
    in_.variable_norm = norm(add_input({}, Dtype::float64), dtype_);
    in_.direction_norm = norm(add_input({}, Dtype::float64), dtype_);
    in_.gradient = add_input(shapes.rows ? shapes.state.with(0, *shapes.rows) : shapes.state, dtype_);
    in_.variable = add_input(shapes.state, dtype_);
    in_.whole = treatment.rule.variable;
    for (std::size_t i = 0; i < optimizer->scalars().size(); ++i) in_.scalars.push_back(add_input({}, dtype_));
    first_slot_ = static_cast<int>(inputs_.size());
    for (const auto& slot : shapes.slots) {
      const Tensor input = add_input(slot.value_or(Shape{0}), dtype_);
      in_.slots.push_back(slot ? input : Tensor());
    }
    if (shapes.rows) take_rows(*shapes.rows);
    before_ = in_;
    in_.learning_rate = in_.learning_rate * treatment.rule.learning_rate_factor;
    if (options_.gradient_accumulation_steps) {
      in_.iteration = divided(in_.iteration, *options_.gradient_accumulation_steps);
    }
  }

  void trace(UpdateParts parts, bool updates) {
    if (parts.holds(UpdatePart::collect)) collect(updates);
    if (parts.holds(UpdatePart::direct) && updates) direct();
    if (parts.holds(UpdatePart::apply)) apply(updates);
  }

  /// A program for what has changed; the gradient is only kept when parts are to follow.
  UpdateProgram compile(bool keeps_gradient, Device& device) const {
    std::vector<Tensor> outputs;
    UpdateProgram result;
    ProgramOptions options;
    const auto add = [&](const Tensor& before, const Tensor& after, int target) {
      if (!before || before.same_as(after)) return;
      require_spec(before, after);
      options.aliases.emplace_back(static_cast<int>(outputs.size()), target);
      result.targets.push_back(target);
      outputs.push_back(ids_ ? ops::scatter_rows(inputs_[static_cast<std::size_t>(target)], ids_, after) : after);
    };
    // Programs compute in the order of their outputs. The variable depends on most of the old state: when it comes
    // first, that has been read by the time slots are overwritten, and nothing need be copied.
    add(before_.variable, in_.variable, UpdateInput::variable);
    if (keeps_gradient) add(before_.gradient, in_.gradient, UpdateInput::gradient);
    for (std::size_t s = 0; s < in_.slots.size(); ++s) {
      add(before_.slots[s], in_.slots[s], first_slot_ + static_cast<int>(s));
    }
    if (!outputs.empty()) result.program = Program::compile(inputs_, outputs, device, options);
    return result;
  }

 private:
  Tensor add_input(const Shape& shape, Dtype dtype) {
    inputs_.push_back(placeholder({shape, dtype}, "update"));
    return inputs_.back();
  }

  void take_rows(Dim rows) {
    ids_ = add_input({rows}, Dtype::int64);
    in_.variable = ops::gather(in_.variable, ids_);
    for (Tensor& slot : in_.slots) {
      if (slot) slot = ops::gather(slot, ids_);
    }
  }

  void require_spec(const Tensor& before, const Tensor& after) const {
    if (before.spec() == after.spec()) return;
    throw ShapeError(optimizer_->class_name() + ": expected a result of spec " + before.spec().str() + ", received " +
                     after.spec().str());
  }

  void collect(bool updates) {
    Tensor& gradient = in_.gradient;
    if (optimizer_.scales_loss()) {
      gradient = ops::cast(ops::cast(gradient, widened(dtype_)) / loss_scale_, dtype_);
    }
    if (treatment_.rule.regularizer) {
      const Tensor penalty = treatment_.rule.regularizer(in_.variable);
      gradient = gradient + dense(gradients({penalty}, {in_.variable})[0], in_.variable);
    }
    if (!options_.gradient_accumulation_steps) return;
    Tensor& accumulated = in_.slots[optimizer_.first_rule_slot() - 1];
    const Tensor sum = gradient + accumulated;
    if (updates) gradient = sum / static_cast<double>(*options_.gradient_accumulation_steps);
    accumulated = updates ? zeros_in_place_of(sum) : sum;
  }

  void direct() {
    clip();
    // Keras multiplies in this order.
    if (treatment_.weight_decay) {
      in_.variable = in_.variable - in_.variable * *treatment_.weight_decay * in_.learning_rate;
    }
    if (!needs_norms(*optimizer_)) return;
    std::vector<Tensor> results = optimizer_->direction(rule_inputs());
    in_.gradient = results[0];
    take_slots(results);
  }

  void clip() {
    Tensor& gradient = in_.gradient;
    if (options_.clipnorm) {
      const Tensor largest = scalar(*options_.clipnorm, dtype_);
      gradient = gradient * largest / ops::maximum(norm(gradient_square_, dtype_), largest);
    } else if (options_.global_clipnorm) {
      const Tensor all = norm(gradient_square_, dtype_);
      const Tensor scale = ops::minimum(1.0 / all, scalar(1.0 / *options_.global_clipnorm, dtype_));
      gradient = gradient * (scale * *options_.global_clipnorm + (all - all));  // NaN when the norm is not finite
    } else if (options_.clipvalue) {
      const double value = *options_.clipvalue;
      gradient = ops::maximum(ops::minimum(gradient, scalar(value, dtype_)), scalar(-value, dtype_));
    }
  }

  void apply(bool updates) {
    if (updates) {
      std::vector<Tensor> results = optimizer_->update(rule_inputs());
      in_.variable = results.at(0);
      take_slots(results);
    }
    if (options_.use_ema) average();
    if (treatment_.rule.constraint) in_.variable = treatment_.rule.constraint(in_.variable);
  }

  /// Keras averages at every step, also at those that only accumulate; the first value is the variable's own.
  void average() {
    const Tensor zero = scalar(0.0, Dtype::int64);
    const Tensor momentum = ops::cast(ops::not_equal(in_.iteration, zero), dtype_) * options_.ema_momentum;
    in_.slots[0] = momentum * in_.slots[0] + (1.0 - momentum) * in_.variable;
    if (!options_.ema_overwrite_frequency) return;
    const int frequency = *options_.ema_overwrite_frequency;
    const Tensor count = in_.iteration + 1.0;
    const Tensor overwrites = ops::equal(divided(count, frequency) * static_cast<double>(frequency), count);
    in_.variable = ops::select(overwrites, in_.slots[0], in_.variable);
  }

  /// With the slots of the rule only.
  UpdateInputs rule_inputs() const {
    UpdateInputs inputs = in_;
    inputs.slots.erase(inputs.slots.begin(), inputs.slots.begin() + static_cast<std::ptrdiff_t>(own_slots()));
    return inputs;
  }

  void take_slots(const std::vector<Tensor>& results) {
    if (results.size() != in_.slots.size() - own_slots() + 1) {
      throw ConfigError(optimizer_->class_name() + ": expected one result and one a slot, " +
                        std::to_string(in_.slots.size() - own_slots() + 1) + ", received " +
                        std::to_string(results.size()));
    }
    for (std::size_t s = 1; s < results.size(); ++s) {
      if (results[s]) in_.slots[own_slots() + s - 1] = results[s];
    }
  }

  std::size_t own_slots() const { return optimizer_.first_rule_slot(); }

  const Optimizer& optimizer_;
  const OptimizerOptions& options_;
  const VariableTreatment& treatment_;
  Dtype dtype_;
  std::vector<Tensor> inputs_;
  int first_slot_;
  Tensor loss_scale_, gradient_square_;
  Tensor ids_;  // of the rows that are updated, if not all are
  UpdateInputs in_, before_;
};

}  // namespace

VariableTreatment treatment_of(const Optimizer& optimizer, const WeightRule& rule) {
  const bool whole = rule.regularizer || rule.constraint || optimizer->scope() == UpdateScope::variable;
  return {rule, optimizer.weight_decay_of(rule.variable), whole};
}

// What else a step does to every row: decay, a penalty, a constraint, an average, a sum of gradients. Norms are summed
// in chunks of the whole gradient.
bool updates_rows_alone(const Optimizer& optimizer, const VariableTreatment& treatment) {
  const OptimizerOptions& options = optimizer.options();
  return optimizer->ignores_zero_gradients() && optimizer->scope() == UpdateScope::elementwise && !treatment.whole &&
         !treatment.weight_decay && !clips_by_norm(options) && !options.use_ema && !options.gradient_accumulation_steps;
}

bool clips_by_norm(const OptimizerOptions& options) { return options.clipnorm || options.global_clipnorm; }

const UpdateProgram& UpdateCompiler::get(const VariableTreatment& treatment, UpdateParts parts, bool updates,
                                         Dtype dtype, Dim count, const std::vector<std::optional<Shape>>& slots) {
  for (const auto& made : made_) {
    const bool equal = made->parts == parts && made->updates == updates && made->dtype == dtype &&
                       made->count == count && made->treatment.joins(treatment);
    if (equal) return made->program;
  }
  const DeviceScope scope(device_);
  UpdateShapes shapes{dtype, treatment.whole ? treatment.rule.variable.shape() : Shape{count}, slots};
  for (auto& slot : shapes.slots) {
    if (slot && !treatment.whole) slot = Shape{count};
  }
  UpdateTracer tracer(optimizer_, treatment, shapes);
  tracer.trace(parts, updates);
  UpdateProgram program = tracer.compile(parts.last != UpdatePart::apply, device_);
  made_.push_back(std::make_unique<Made>(Made{treatment, parts, updates, dtype, count, std::move(program)}));
  return made_.back()->program;
}

UpdateProgram UpdateCompiler::compile_rows(const VariableTreatment& treatment, std::size_t slots, Dim rows) {
  const DeviceScope scope(device_);
  const TensorSpec& variable = treatment.rule.variable.spec();
  UpdateTracer tracer(optimizer_, treatment, {variable.dtype, variable.shape, {slots, variable.shape}, rows});
  tracer.trace({UpdatePart::collect, UpdatePart::apply}, true);
  return tracer.compile(false, device_);
}

}  // namespace strata
