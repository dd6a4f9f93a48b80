// SPDX-License-Identifier: Apache-2.0
#include "core/training/loss.h"

#include <array>

#include "core/base/error.h"
#include "core/base/registered_name.h"
#include "core/model/session.h"
#include "core/training/loss_sum.h"
#include "core/training/losses/formula.h"

namespace strata {

#define STRATA_LOSS(stem) void register_##stem(LossTable&);
#include "core/training/losses/list.inc"
#undef STRATA_LOSS

namespace {

const RuleTable<Loss>& table() {
  static const RuleTable<Loss> all("Loss", "Unknown loss function: ", [] {
    LossTable entries;
#define STRATA_LOSS(stem) register_##stem(entries);
#include "core/training/losses/list.inc"
#undef STRATA_LOSS
    return entries;
  }());
  return all;
}

constexpr std::array<std::string_view, 4> kReductions = {"sum_over_batch_size", "mean", "sum",
                                                         "mean_with_sample_weight"};

/// The arguments of a loss without those of tf.keras 2 that Keras 3 has dropped: the function it wraps, and a reduction
/// that "auto" left to Keras.
Config modern_arguments(const Config& config) {
  Config arguments = Config::object();
  for (const auto& [key, value] : config.as_object()) {
    if (key != "fn" && !(key == "reduction" && value == Config("auto"))) arguments.set(key, value);
  }
  return arguments;
}

/// One that the program made known.
std::optional<Loss> find_own(const ConfiguredName& wanted) {
  return make_custom_rule<Loss, TargetFunction>(
      wanted, [](const auto& name, const auto& function) { return Loss(function, name); });
}

}  // namespace

std::string_view to_string(Reduction reduction) { return kReductions[static_cast<std::size_t>(reduction)]; }

Reduction reduction_from_string(std::string_view name) {
  for (std::size_t i = 0; i < kReductions.size(); ++i) {
    if (kReductions[i] == name) return static_cast<Reduction>(i);
  }
  throw ConfigError(
      "Invalid value for argument `reduction`. Expected one of {sum_over_batch_size, mean, sum, "
      "mean_with_sample_weight}. Received: reduction=" +
      std::string(name));
}

std::string LossFunction::name() const { return to_snake_case(class_name()); }

Config LossFunction::get_config() const {
  Config all = Config::object({{"name", name()}, {"reduction", to_string(reduction())}});
  for (const auto& [key, value] : config().as_object()) all.set(key, value);
  return all;
}

Config LossFunction::serialized() const {
  return Config::object({{"class_name", class_name()}, {"config", get_config()}});
}

Loss find_loss(const std::string& name) {
  if (const auto own = find_own({name, Config::object()})) return *own;
  return table().knows(name) ? table().make(name) : Loss();
}

Loss::Loss(const std::string& name) : Loss(find_loss(name)) {
  if (function_) return;
  throw ConfigError("Unknown loss function:" + name + ". Expected one of: " + table().class_names() + ".");
}

Loss Loss::from_config(const Config& config) {
  if (config.is_null()) return {};
  ConfiguredName wanted = ConfiguredName::of(config);
  if (const auto own = find_own(wanted)) return *own;
  wanted.name = without_package(wanted.name);
  wanted.arguments = modern_arguments(wanted.arguments);
  return table().make(wanted);
}

Tensor Loss::operator()(const Tensor& y_true, const Tensor& y_pred, const Tensor& sample_weight,
                        const Tensor& mask) const {
  const LossSum loss = sum_loss(*function_, widened(y_true), widened(y_pred), sample_weight, mask);
  if (!loss.divides) return loss.sum;
  if (loss.count) return safe_quotient(loss.sum, ops::cast(loss.count, loss.sum.dtype()));
  return loss.sum / static_cast<double>(loss.values);
}

}  // namespace strata
