// SPDX-License-Identifier: Apache-2.0
// Metrics of regression that are not means of a loss.
#include <cmath>

#include "core/base/error.h"
#include "core/ops/ops.h"
#include "core/training/loss_sum.h"
#include "core/training/metrics/table.h"
#include "core/training/targets.h"

namespace strata {
namespace {

class RootMeanSquaredErrorMetric final : public MeanMetric {
 public:
  explicit RootMeanSquaredErrorMetric(std::string name) : name_(std::move(name)) {}
  std::string class_name() const override { return "RootMeanSquaredError"; }
  std::string name() const override { return name_; }
  std::optional<bool> larger_is_better() const override { return false; }
  Tensor values(const Tensor& y_true, const Tensor& y_pred) const override {
    const auto [targets, outputs] = fit_targets(class_name(), y_true, y_pred);
    return ops::mean(ops::square(outputs - targets), {-1});
  }
  /// As in Keras, the model's mask does not count here.
  Tensor update(const MetricInputs& inputs) const override {
    return MeanMetric::update({inputs.y_true, inputs.y_pred, inputs.sample_weight, {}});
  }
  double result(std::span<const double> state) const override { return std::sqrt(MeanMetric::result(state)); }

 private:
  std::string name_;
};

/// State: for each column the sums of w t, w t^2, w (t - y)^2 and w; then the number of elements.
class R2ScoreMetric final : public MetricFunction {
 public:
  explicit R2ScoreMetric(metrics::R2ScoreOptions options) : options_(std::move(options)) {}

  std::string class_name() const override { return "R2Score"; }
  std::string name() const override { return options_.name; }
  std::optional<bool> larger_is_better() const override { return true; }
  Config config() const override {
    const std::string& aggregation = options_.class_aggregation;
    return Config::object({{"class_aggregation", aggregation.empty() ? Config() : Config(aggregation)},
                           {"num_regressors", options_.num_regressors}});
  }

  Tensor update(const MetricInputs& inputs) const override {
    const auto [targets, outputs] = fit_targets(class_name(), inputs.y_true, inputs.y_pred);
    if (outputs.rank() != 2) {
      throw ShapeError(
          "R2Score expects 2D inputs with shape (batch_size, output_dim). Received input shapes: "
          "y_pred.shape=" +
          inputs.y_pred.shape().str() + " and y_true.shape=" + inputs.y_true.shape().str() + ".");
    }
    const Tensor t = ops::cast(targets, Dtype::float64);
    const Tensor error = t - ops::cast(outputs, Dtype::float64);
    Tensor w = ops::ones_like(t);
    if (inputs.sample_weight) {
      w = w * ops::cast(fit_weights(name() + ": sample_weight", inputs.sample_weight, t), Dtype::float64);
    }
    const auto total = [](const Tensor& x) { return ops::sum(x, {0}); };
    const Tensor columns = ops::concatenate({total(w * t), total(w * t * t), total(w * error * error), total(w)}, 0);
    return ops::concatenate({columns, ops::reshape(ops::sum(ops::ones_like(t)), {1})}, 0);
  }

  double result(std::span<const double> state) const override {
    const std::string& aggregation = options_.class_aggregation;
    if (aggregation.empty() && state.size() > 5) {
      throw ConfigError(name() +
                        " has one value a column: expected a class_aggregation of uniform_average or "
                        "variance_weighted_average");
    }
    double sum = 0.0, weights = 0.0;
    for (std::size_t c = 0; c < columns(state); ++c) {
      const double weight = aggregation == "variance_weighted_average" ? variance(state, c) : 1.0;
      sum += weight * score(state, c);
      weights += weight;
    }
    return adjusted(sum / weights, state.back());
  }
  std::vector<double> results(std::span<const double> state) const override {
    if (!options_.class_aggregation.empty()) return {result(state)};
    std::vector<double> scores;
    for (std::size_t c = 0; c < columns(state); ++c) scores.push_back(adjusted(score(state, c), state.back()));
    return scores;
  }

 private:
  static std::size_t columns(std::span<const double> state) { return (state.size() - 1) / 4; }
  /// sum w (t - mean t)^2.
  static double variance(std::span<const double> state, std::size_t c) {
    const std::size_t n = columns(state);
    return state[n + c] - state[c] * (state[c] / state[3 * n + c]);
  }
  static double score(std::span<const double> state, std::size_t c) {
    const double score = 1.0 - state[2 * columns(state) + c] / variance(state, c);
    return std::isinf(score) ? 0.0 : score;
  }
  /// Unchanged where there are not more elements than regressors.
  double adjusted(double score, double elements) const {
    const double p = options_.num_regressors;
    if (p == 0.0 || p >= elements - 1.0) return score;
    return 1.0 - (1.0 - score) * (elements - 1.0) / (elements - p - 1.0);
  }

  metrics::R2ScoreOptions options_;
};

}  // namespace

namespace metrics {

Metric RootMeanSquaredError(const std::string& name) { return {std::make_shared<RootMeanSquaredErrorMetric>(name)}; }

Metric R2Score(const R2ScoreOptions& options) {
  const std::string& aggregation = options.class_aggregation;
  if (!aggregation.empty() && aggregation != "uniform_average" && aggregation != "variance_weighted_average") {
    throw ConfigError(
        "Invalid value for argument `class_aggregation`. Expected one of (None, 'uniform_average', "
        "'variance_weighted_average'). Received: class_aggregation=" +
        aggregation);
  }
  if (options.num_regressors < 0) {
    throw ConfigError("Invalid value for argument `num_regressors`. Expected a value >= 0. Received: num_regressors=" +
                      std::to_string(options.num_regressors));
  }
  return {std::make_shared<R2ScoreMetric>(options)};
}

}  // namespace metrics

void register_regression(MetricTable& table) {
  using namespace metrics;
  add_metric(table, "RootMeanSquaredError", "root_mean_squared_error", RootMeanSquaredError);
  add_metric(table, "R2Score", {"r2_score"}, {"class_aggregation", "num_regressors"}, [](const RuleArguments& a) {
    return R2Score(
        {.class_aggregation = a.text("class_aggregation", a.is_none("class_aggregation") ? "" : "uniform_average"),
         .num_regressors = static_cast<int>(a.integer("num_regressors", 0)),
         .name = a.text("name", "r2_score")});
  });
}

}  // namespace strata
