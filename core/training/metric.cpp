// SPDX-License-Identifier: Apache-2.0
#include "core/training/metric.h"

#include "core/base/error.h"
#include "core/base/registered_name.h"
#include "core/ops/ops.h"
#include "core/training/loss_sum.h"
#include "core/training/losses/formula.h"
#include "core/training/metrics/table.h"

namespace strata {

#define STRATA_METRIC(stem) void register_##stem(MetricTable&);
#include "core/training/metrics/list.inc"
#undef STRATA_METRIC

namespace {

const RuleTable<Metric>& table() {
  static const RuleTable<Metric> all("Metric", "Unknown metric function: ", [] {
    MetricTable entries;
#define STRATA_METRIC(stem) register_##stem(entries);
#include "core/training/metrics/list.inc"
#undef STRATA_METRIC
    return entries;
  }());
  return all;
}

/// What Keras writes for a function: its name, and where the metric has another, the class that wraps it.
Config wrapper_config(const std::string& function, const std::string& name) {
  if (function == name) return function;
  return Config::object({{"class_name", "MeanMetricWrapper"},
                         {"config", Config::object({{"name", name}, {"fn", function_config(function)}})}});
}

/// The values of a loss; what the loss does not count does not count here.
class LossMetric final : public MeanMetric {
 public:
  LossMetric(Loss loss, std::string name) : loss_(std::move(loss)), name_(std::move(name)) {}
  std::string name() const override { return name_; }
  std::string class_name() const override { return loss_->class_name(); }
  Config config() const override { return loss_->config(); }
  Config serialized() const override {
    const Config loss = loss_->serialized();
    return loss.is_string() ? wrapper_config(loss.as_string(), name_) : MeanMetric::serialized();
  }
  std::optional<bool> larger_is_better() const override { return false; }
  Tensor values(const Tensor& y_true, const Tensor& y_pred) const override { return loss_->values(y_true, y_pred); }
  Tensor update(const MetricInputs& inputs) const override {
    MetricInputs counted = inputs;
    if (const Tensor mask = loss_->mask(inputs.y_true, inputs.y_pred)) {
      counted.mask = inputs.mask ? ops::logical_and(fit_weights(name_ + ": mask", inputs.mask, mask), mask) : mask;
    }
    return MeanMetric::update(counted);
  }

 private:
  Loss loss_;
  std::string name_;
};

/// One that the program made known: a metric, a plain function, or a loss.
std::optional<Metric> find_own(const ConfiguredName& wanted) {
  auto own = make_custom_rule<Metric, TargetFunction>(
      wanted, [](const auto& name, const auto& function) { return Metric(function, name); });
  const auto loss = find_custom<std::function<Loss(const Config&)>>(wanted.name);
  if (own || !loss) return own;
  const Loss made = (*loss)(wanted.arguments);
  const Config& name = wanted.arguments.get("name");
  return metrics::MeanOf(made, name.is_null() ? made->name() : name.as_string());
}

/// Under the name that the user gave.
std::optional<Metric> find_metric(const std::string& name) {
  if (auto own = find_own({name, Config::object()})) return own;
  if (name == "accuracy" || name == "acc") return accuracy_by_shape(name);
  if (name == "crossentropy" || name == "ce") return crossentropy_by_shape(name);
  if (table().knows(name)) return table().make(name, Config::object({{"name", name}}));
  if (const Loss loss = find_loss(name)) return metrics::MeanOf(loss, name);
  return {};
}

Metric by_name(const std::string& name) {
  if (const auto metric = find_metric(name)) return *metric;
  throw ConfigError("Unknown metric function:" + name +
                    ". Expected accuracy, crossentropy, a loss, or one of: " + table().class_names() + ".");
}

/// What Keras writes for a function, {"fn", "name", "dtype"}: that function's values under this name.
Metric wrapped_function(const Config& config) {
  const std::string fn = ConfiguredName::of(config.at("fn")).name;
  const Config name = config.contains("name") ? config.at("name") : Config(fn);
  if (table().knows(fn)) return table().make(fn, Config::object({{"name", name}}));
  return metrics::MeanOf(Loss::from_config(fn), name.as_string());
}

}  // namespace

Config MetricFunction::serialized() const {
  if (class_name() == "MeanMetricWrapper") return name();
  return Config::object({{"class_name", class_name()}, {"config", get_config()}});
}

Config MetricFunction::get_config() const {
  Config all = Config::object({{"name", name()}});
  for (const auto& [key, value] : config().as_object()) all.set(key, value);
  return all;
}

Tensor MeanMetric::update(const MetricInputs& inputs) const {
  const Tensor values = this->values(inputs.y_true, inputs.y_pred);
  const Dtype dtype = values.dtype();
  Tensor weights;
  const auto weigh = [&](const Tensor& by, const char* what) {
    if (!by) return;
    const Tensor factor = ops::cast(fit_weights(name() + ": " + what, by, values), dtype);
    weights = weights ? weights * factor : factor;
  };
  weigh(inputs.sample_weight, "sample_weight");
  weigh(inputs.mask, "mask");
  const Tensor all = weights ? ops::broadcast_to(weights, values.shape()) : ops::ones_like(values);
  const Tensor sum = ops::sum(weights ? values * weights : values);
  return ops::stack({ops::cast(sum, Dtype::float64), ops::sum(ops::cast(all, Dtype::float64))});
}

Metric::Metric(std::shared_ptr<const MetricFunction> function)
    : function_(std::move(function)), state_(std::make_shared<std::vector<double>>()) {}

Metric::Metric(const std::string& name) : Metric(by_name(name)) {}

Metric::Metric(const Loss& loss) : Metric(metrics::MeanOf(loss, loss->name())) {}

Metric Metric::from_config(const Config& config) {
  ConfiguredName wanted = ConfiguredName::of(config);
  const auto named = config.is_string() ? find_metric(wanted.name) : find_own(wanted);
  if (named) return *named;
  wanted.name = without_package(wanted.name);
  if (wanted.name == "MeanMetricWrapper") return wrapped_function(wanted.arguments);
  const Loss known = table().knows(wanted.name) ? Loss() : find_loss(wanted.name);
  if (!known) return table().make(wanted);
  // The class of a loss: all its arguments are the loss's, but for the name and the dtype of the state.
  Config loss = Config::object();
  std::string name = known->name();
  for (const auto& [key, value] : wanted.arguments.as_object()) {
    const bool default_axis = key == "axis" && value == Config(-1);  // which the loss may not have as an argument
    if (key == "name") name = value.as_string();
    else if (key != "dtype" && !default_axis) loss.set(key, value);
  }
  return metrics::MeanOf(Loss::from_config(Config::object({{"class_name", wanted.name}, {"config", loss}})), name);
}

void Metric::update_state(const Tensor& y_true, const Tensor& y_pred, const Tensor& sample_weight, const Tensor& mask) {
  const Tensor state = function_->update({widened(y_true), widened(y_pred), sample_weight, mask});
  const auto added = state.to_vector<double>();
  if (state_->empty()) state_->assign(added.size(), 0.0);
  if (state_->size() != added.size()) {
    throw ShapeError(function_->name() + ": expected batches of one shape, received a state of " +
                     std::to_string(added.size()) + " numbers after one of " + std::to_string(state_->size()));
  }
  for (std::size_t i = 0; i < added.size(); ++i) (*state_)[i] += added[i];
}

double Metric::result() const { return state_->empty() ? 0.0 : function_->result(*state_); }

std::vector<double> Metric::results() const {
  return state_->empty() ? std::vector<double>{0.0} : function_->results(*state_);
}

void Metric::reset_state() { state_->clear(); }

namespace metrics {

Metric MeanOf(const Loss& loss, const std::string& name) { return {std::make_shared<LossMetric>(loss, name)}; }

void Mean::update_state(const Tensor& values, const Tensor& sample_weight) {
  const Tensor v = ops::cast(values, Dtype::float64);
  const Tensor w = sample_weight ? ops::cast(fit_weights("mean: sample_weight", sample_weight, v), Dtype::float64)
                                 : scalar(1.0, Dtype::float64);
  total_ += ops::sum(v * w).item<double>();
  count_ += ops::sum(ops::broadcast_to(w, v.shape())).item<double>();
}

void Sum::update_state(const Tensor& values, const Tensor& sample_weight) {
  Tensor v = ops::cast(values, Dtype::float64);
  if (sample_weight) v = v * ops::cast(fit_weights("sum: sample_weight", sample_weight, v), Dtype::float64);
  total_ += ops::sum(v).item<double>();
}

}  // namespace metrics
}  // namespace strata
