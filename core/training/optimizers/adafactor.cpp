// SPDX-License-Identifier: Apache-2.0
#include "core/ops/ops.h"
#include "core/training/optimizers/table.h"

namespace strata {
namespace {

/// Of the rows, `axis` -1, or the columns, -2, of a matrix; one number for a vector, which needs none, as in Keras.
std::optional<Shape> factor_shape(const Variable& variable, int axis) {
  const Shape& shape = variable.shape();
  if (shape.rank() < 2) return Shape{};
  const Shape head = shape.slice(0, shape.rank() + axis);
  return axis == -1 ? head : head.concat(shape.slice(shape.rank() - 1, shape.rank()));
}

Tensor rms(const Tensor& x) { return ops::sqrt(ops::mean(ops::square(x))); }

class AdafactorRule final : public OptimizerRule {
 public:
  explicit AdafactorRule(const optimizers::AdafactorOptions& options) : options_(options) {}
  std::string class_name() const override { return "Adafactor"; }
  Config config() const override {
    return Config::object({{"beta_2_decay", options_.beta_2_decay},
                           {"epsilon_1", options_.epsilon_1},
                           {"epsilon_2", options_.epsilon_2},
                           {"clip_threshold", options_.clip_threshold},
                           {"relative_step", options_.relative_step}});
  }
  UpdateScope scope() const override { return UpdateScope::variable; }
  std::vector<SlotSpec> slots() const override {
    return {{.name = "r", .shape = [](const Variable& v) { return factor_shape(v, -1); }},
            {.name = "c", .shape = [](const Variable& v) { return factor_shape(v, -2); }},
            {.name = "velocity"}};
  }

  std::vector<Tensor> update(const UpdateInputs& in) const override {
    const Dtype dtype = in.variable.dtype();
    const Tensor step = ops::cast(in.iteration + 1.0, dtype);
    // Keras' relative_step would limit the rate to the same minimum once more: it changes nothing.
    const Tensor rho = ops::minimum(in.learning_rate, 1.0 / ops::sqrt(step));
    const Tensor alpha = ops::maximum(scalar(options_.epsilon_2, dtype), rms(in.variable)) * rho;
    std::vector<Tensor> results = velocities(in, 1.0 - ops::power(step, scalar(options_.beta_2_decay, dtype)));
    const Tensor u = in.gradient / ops::sqrt(results.back());
    const Tensor clipped = u / ops::maximum(scalar(1.0, dtype), rms(u) / options_.clip_threshold);
    results.insert(results.begin(), in.variable - alpha * clipped);
    return results;
  }

 private:
  /// The new r, c and velocity.
  std::vector<Tensor> velocities(const UpdateInputs& in, const Tensor& beta) const {
    const Tensor square = ops::square(in.gradient) + options_.epsilon_1;
    const auto decayed = [&](const Tensor& average, const Tensor& value) {
      return beta * average + (1.0 - beta) * value;
    };
    if (in.variable.rank() < 2) return {in.slots[0], in.slots[1], decayed(in.slots[2], square)};
    const Tensor r = decayed(in.slots[0], ops::mean(square, {-1}));
    const Tensor c = decayed(in.slots[1], ops::mean(square, {-2}));
    const Tensor share = ops::expand_dims(r / ops::mean(r, {-1}, true), -1);
    return {r, c, share * ops::expand_dims(c, -2)};
  }

  optimizers::AdafactorOptions options_;
};

}  // namespace

Optimizer optimizers::Adafactor(const AdafactorOptions& options, const OptimizerOptions& common) {
  require_not_negative("epsilon_1", options.epsilon_1);
  require_not_negative("epsilon_2", options.epsilon_2);
  require_not_negative("clip_threshold", options.clip_threshold);
  return {std::make_shared<AdafactorRule>(options), options.learning_rate, common};
}

void register_adafactor(OptimizerTable& table) {
  add_optimizer(table, "Adafactor", {"beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold", "relative_step"},
                [](const RuleArguments& a) {
                  const optimizers::AdafactorOptions o;
                  return optimizers::Adafactor(
                      {learning_rate(a, o.learning_rate), a.number("beta_2_decay", o.beta_2_decay),
                       a.number("epsilon_1", o.epsilon_1), a.number("epsilon_2", o.epsilon_2),
                       a.number("clip_threshold", o.clip_threshold), a.flag("relative_step", o.relative_step)},
                      optimizer_options(a));
                });
}

}  // namespace strata
