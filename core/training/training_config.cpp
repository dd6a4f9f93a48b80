// SPDX-License-Identifier: Apache-2.0
#include "core/training/training_config.h"

#include "core/base/error.h"
#include "core/training/optimizers/table.h"

namespace strata {
namespace {

Config serialized(const std::string& class_name, const Config& config) {
  return Config::object({{"class_name", class_name}, {"config", config}});
}

Config loss_config(const Loss& loss) {
  if (!loss) return {};
  Config kept = loss->serialized();
  const bool keras2 = ConfigDialectScope::current() == ConfigDialect::keras2;
  if (!keras2 || !kept.is_object() || loss->reduction() != Reduction::mean) return kept;
  // The name that tf.keras has for it.
  Config config = kept.at("config");
  return kept.set("config", config.set("reduction", to_string(Reduction::sum_over_batch_size)));
}

/// What Optimizer::config() gives, as the optimizers of tf.keras since TensorFlow 2.11 have it, which are those of the
/// package tf_keras too; `is_legacy_optimizer` tells them from those before.
Config keras2_optimizer(const Config& optimizer) {
  const std::string& class_name = optimizer.at("class_name").as_string();
  const Config& given = optimizer.at("config");
  if (class_name == "LossScaleOptimizer") {
    return serialized("LossScaleOptimizerV3",
                      Config::object({{"inner_optimizer", keras2_optimizer(given.at("inner_optimizer"))},
                                      {"dynamic", true},
                                      {"initial_scale", given.at("initial_scale")},
                                      {"dynamic_growth_steps", given.at("dynamic_growth_steps")}}));
  }
  Config config = Config::object();
  for (const auto& [key, value] : given.as_object()) {
    const bool unknown = key == "loss_scale_factor" || key == "gradient_accumulation_steps";
    if (unknown && !value.is_null()) {
      throw ConfigError("The optimizers of tf.keras have no argument `" + key +
                        "`: save in the dialect of Keras 3, or with `.include_optimizer = false`.");
    }
    if (!unknown) config.set(key, value);
  }
  config.set("jit_compile", false).set("is_legacy_optimizer", false);
  return serialized(is_keras_optimizer(class_name) ? "Custom>" + class_name : class_name, config);
}

Config optimizer_config(const Optimizer& optimizer) {
  const Config kept = optimizer.config();
  if (ConfigDialectScope::current() == ConfigDialect::keras2) return keras2_optimizer(kept);
  return serialized(kept.at("class_name").as_string(), kept.at("config"));
}

/// A list; where there are several outputs, one of lists.
Config metrics_config(const Objective& objective, bool weighted) {
  std::vector<Config::List> by_output(objective.losses.size());
  bool any = false;
  for (const OutputMetric& metric : objective.metrics) {
    if (metric.weighted != weighted) continue;
    by_output[metric.output].push_back(metric.metric->serialized());
    any = true;
  }
  if (!any) return {};
  if (by_output.size() == 1) return by_output[0];
  Config::List lists;
  for (const Config::List& metrics : by_output) lists.emplace_back(metrics);
  return lists;
}

bool is_single(const Config& config) {
  return config.is_string() || (config.is_object() && config.contains("class_name"));
}

Losses read_losses(const Config& config) {
  if (config.is_null()) return {};
  if (is_single(config)) return Loss::from_config(config);
  if (config.is_list()) {
    std::vector<Loss> list;
    for (const Config& loss : config.as_list()) list.push_back(Loss::from_config(loss));
    return list;
  }
  std::vector<Losses::Named> named;
  for (const auto& [output, loss] : config.as_object()) named.emplace_back(output, Loss::from_config(loss));
  return named;
}

LossWeights read_loss_weights(const Config& config) {
  if (config.is_null()) return {};
  if (config.is_list()) {
    std::vector<double> list;
    for (const Config& weight : config.as_list()) list.push_back(weight.is_null() ? 1.0 : weight.as_double());
    return list;
  }
  if (!config.is_object()) return std::vector<double>{config.as_double()};
  std::vector<LossWeights::Named> named;
  for (const auto& [output, weight] : config.as_object()) named.emplace_back(output, weight.as_double());
  return named;
}

std::vector<Metric> read_metric_list(const Config& config) {
  if (config.is_null()) return {};
  if (is_single(config)) return {Metric::from_config(config)};
  std::vector<Metric> metrics;
  for (const Config& metric : config.as_list()) {
    if (!metric.is_null()) metrics.push_back(Metric::from_config(metric));
  }
  return metrics;
}

/// One list for every output, a list or an object of lists by output.
Metrics read_metrics(const Config& config, const std::vector<std::string>& outputs) {
  if (config.is_null()) return {};
  std::vector<Metrics::Named> named;
  if (config.is_object() && !is_single(config)) {
    for (const auto& [output, metrics] : config.as_object()) named.emplace_back(output, read_metric_list(metrics));
    return named;
  }
  const bool by_output = config.is_list() && !config.as_list().empty() && !is_single(config.as_list()[0]);
  if (!by_output) return read_metric_list(config);
  const Config::List& lists = config.as_list();
  if (lists.size() != outputs.size()) {
    throw ConfigError("expected metrics for " + std::to_string(outputs.size()) + " outputs, received " +
                      std::to_string(lists.size()));
  }
  for (std::size_t k = 0; k < lists.size(); ++k) named.emplace_back(outputs[k], read_metric_list(lists[k]));
  return named;
}

}  // namespace

Config training_config(const Objective& objective, const Optimizer& optimizer) {
  const bool several = objective.losses.size() > 1;
  Config::List losses, weights;
  for (const Loss& loss : objective.losses) losses.push_back(loss_config(loss));
  for (const double weight : objective.loss_weights) weights.emplace_back(weight);
  return Config::object({{"loss", several ? Config(losses) : losses.at(0)},
                         {"metrics", metrics_config(objective, false)},
                         {"weighted_metrics", metrics_config(objective, true)},
                         {"sample_weight_mode", nullptr},  // tf.keras of TensorFlow 2.0 asks for it
                         {"loss_weights", weights},
                         {"optimizer_config", optimizer_config(optimizer)}});
}

CompileOptions compile_options(const Config& config, const std::vector<std::string>& outputs) {
  return {.optimizer = Optimizer::from_config(config.at("optimizer_config")),
          .loss = read_losses(config.get("loss")),
          .loss_weights = read_loss_weights(config.get("loss_weights")),
          .metrics = read_metrics(config.get("metrics"), outputs),
          .weighted_metrics = read_metrics(config.get("weighted_metrics"), outputs),
          .auto_scale_loss = false};
}

}  // namespace strata
