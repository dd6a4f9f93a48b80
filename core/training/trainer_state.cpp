// SPDX-License-Identifier: Apache-2.0
// What of a training run outlives its process.
#include "core/base/error.h"
#include "core/model/config_dialect.h"
#include "core/training/trainer.h"

namespace strata {

namespace {

/// As the optimizers of tf.keras since TensorFlow 2.11 have it: without a learning rate, which is in their config, and
/// without the factor of a LossScaleOptimizer. They do not read what comes last, the numbers of the rule.
std::vector<NamedSlot> keras2_state(const NamedSlot& iteration, std::vector<NamedSlot> slots) {
  slots.insert(slots.begin(), iteration);
  for (NamedSlot& slot : slots) slot.name += ":0";
  return slots;
}

}  // namespace

std::vector<NamedSlot> Trainer::optimizer_state(SlotExtent extent) const {
  if (!has_optimizer_state()) return {};
  const bool keras2 = ConfigDialectScope::current() == ConfigDialect::keras2;
  const std::vector<NamedSlot> slots =
      state_->named_slots(optimizer_, keras2 ? SlotOrder::keras2 : SlotOrder::by_variable, extent);
  const std::string name = optimizer_.name() + "/";
  const NamedSlot iteration{name + "iteration", constant<std::int64_t>({optimizer_.steps()}, {})};
  const LossScaleOptions* scaling = optimizer_.loss_scaling();
  const auto first = slots.begin() + (scaling != nullptr ? 2 : 0);
  if (keras2) return keras2_state(iteration, {first, slots.end()});
  std::vector<NamedSlot> all;
  // Keras' LossScaleOptimizer has both as well, and uses neither.
  if (scaling != nullptr) {
    all.push_back({scaling->name + "/iteration", scalar(0.0, Dtype::int64)});
    all.push_back({scaling->name + "/learning_rate", scalar(0.0)});
  }
  all.insert(all.end(), slots.begin(), first);
  all.push_back(iteration);
  if (!optimizer_.follows_schedule()) all.push_back({name + "learning_rate", scalar(optimizer_.learning_rate())});
  all.insert(all.end(), first, slots.end());
  return all;
}

namespace {

/// The SGD of tf.keras keeps momenta also where it has no momentum: only what comes before them counts.
std::vector<Tensor> without_unused_slots(const std::vector<Tensor>& values, bool scaled) {
  const bool has_rate = values.size() > 1 && values[1].rank() == 0;
  if (values.empty() || (has_rate && scaled)) return values;
  return {values.begin(), values.begin() + (has_rate ? 2 : 1)};
}

/// One number of the state. Throws ShapeError for an array.
template <class T>
T number(const Tensor& value, const char* what) {
  if (value.rank() == 0) return ops::cast(value, dtype_of<T>()).template item<T>();
  throw ShapeError("the optimizer's " + std::string(what) + " has shape (), received " + value.shape().str());
}

/// A state as tf.keras saves it, without what is missing there, completed: the factor of a LossScaleOptimizer begins
/// anew, the rule's numbers follow from the steps.
std::vector<Tensor> completed(const std::vector<Tensor>& values, const Optimizer& optimizer) {
  std::vector<Tensor> all;
  if (const LossScaleOptions* scaling = optimizer.loss_scaling()) {
    all = {scalar(0.0), scalar(0.0), scalar(0.0), scalar(scaling->initial_scale, Dtype::float64)};
  }
  all.insert(all.end(), values.begin(), values.end());
  std::vector<double> numbers;
  for (const ScalarSpec& spec : optimizer->scalars()) numbers.push_back(spec.initial);
  const auto steps = number<std::int64_t>(values.at(0), "iteration");
  std::vector<double> before;
  for (std::int64_t step = 0; step < steps && before != numbers; ++step) {
    before = numbers;
    optimizer->advance(numbers, step);
  }
  for (const double value : numbers) all.push_back(scalar(value, Dtype::float64));
  return all;
}

}  // namespace

void Trainer::restore_optimizer(const std::vector<Tensor>& given, SlotOrder order) {
  require_compiled();
  place_variables();
  const bool scaled = optimizer_.loss_scaling() != nullptr;
  const bool stateless = optimizer_.slots().empty() && optimizer_->scalars().empty();
  std::vector<Tensor> values = stateless ? without_unused_slots(given, scaled) : given;
  const std::size_t slots = state_->slot_count(optimizer_, order);
  const std::size_t not_of_variables = optimizer_->scalars().size() + (scaled ? 2 : 0);
  if (not_of_variables > 0 && values.size() == slots - not_of_variables + 1) values = completed(values, optimizer_);
  const std::size_t own = (scaled ? 2u : 0u) + 1u;  // all but slots and learning rate
  const bool has_rate = values.size() == slots + own + 1;
  if (!has_rate && values.size() != slots + own) {
    throw ConfigError("the optimizer " + optimizer_.name() + " has " + std::to_string(slots + own) +
                      " arrays of state, or one more with its learning rate; received " +
                      std::to_string(values.size()));
  }
  // With a LossScaleOptimizer: its iteration and rate, the two numbers of its own, then as without.
  std::vector<Tensor> state;
  std::size_t next = 0;
  if (scaled) {
    state = {values[2], values[3]};
    next = 4;
  }
  const auto steps = number<std::int64_t>(values[next++], "iteration");
  const double rate = has_rate ? number<double>(values[next++], "learning_rate") : 0.0;
  state.insert(state.end(), values.begin() + static_cast<std::ptrdiff_t>(next), values.end());
  state_->set_slots(optimizer_, state, order);
  optimizer_.set_steps(steps);
  optimizer_steps_ = iterations_ = steps;
  // Files hold the float32 next to the rate, which the optimizer may know exactly.
  const bool differs = static_cast<float>(optimizer_.learning_rate()) != static_cast<float>(rate);
  if (has_rate && differs && !optimizer_.follows_schedule()) optimizer_.set_learning_rate(rate);
}

Config Trainer::position() const {
  return Config::object({{"iterations", iterations_}, {"samples", samples_seen_}, {"epochs", epochs_}});
}

void Trainer::restore_position(const Config& position) {
  iterations_ = position.at("iterations").as_int();
  samples_seen_ = position.at("samples").as_int();
  epochs_ = static_cast<int>(position.at("epochs").as_int());
}

}  // namespace strata
