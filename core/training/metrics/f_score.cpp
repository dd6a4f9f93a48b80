// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/model/session.h"
#include "core/ops/ops.h"
#include "core/training/loss_sum.h"
#include "core/training/metrics/table.h"

namespace strata {
namespace {

constexpr double kEpsilon = 1e-7;
constexpr double kSmallest = 1e-9;  // an output no larger than this is not predicted

/// State: true positives of each class (or of all, "micro"), then false positives, false negatives, true ones.
class FBetaMetric final : public MetricFunction {
 public:
  FBetaMetric(std::string class_name, metrics::FBetaOptions options)
      : class_name_(std::move(class_name)), options_(std::move(options)) {}

  std::string class_name() const override { return class_name_; }
  std::string name() const override {
    if (!options_.name.empty()) return options_.name;
    return class_name_ == "F1Score" ? "f1_score" : "fbeta_score";
  }
  std::optional<bool> larger_is_better() const override { return true; }
  Config config() const override {
    Config all = Config::object({{"average", options_.average.empty() ? Config() : Config(options_.average)}});
    if (class_name_ != "F1Score") all.set("beta", options_.beta);
    return all.set("threshold", options_.threshold ? Config(*options_.threshold) : Config());
  }

  Tensor update(const MetricInputs& inputs) const override {
    check_shapes(inputs.y_true.shape(), inputs.y_pred.shape());
    const Tensor t = ops::cast(inputs.y_true, Dtype::float64);
    const Tensor p = ops::cast(predicted(inputs.y_pred), Dtype::float64);
    const auto total = [&](const Tensor& x) {
      Tensor weighted = x;
      if (inputs.sample_weight) {
        weighted = x * ops::cast(fit_weights(name() + ": sample_weight", inputs.sample_weight, x), Dtype::float64);
      }
      return options_.average == "micro" ? ops::sum(weighted, {}, false) : ops::sum(weighted, {0});
    };
    return ops::reshape(ops::stack({total(p * t), total(p * (1.0 - t)), total((1.0 - p) * t), total(t)}), {None});
  }

  double result(std::span<const double> state) const override {
    const std::size_t classes = state.size() / 4;
    if (options_.average.empty()) {
      throw ConfigError(name() + " has one value a class: expected an average of micro, macro or weighted");
    }
    double sum = 0.0, total = 0.0;
    for (std::size_t c = 0; c < classes; ++c) {
      const double weight = options_.average == "weighted" ? state[3 * classes + c] : 1.0;
      sum += weight * score(state, c);
      total += weight;
    }
    return options_.average == "weighted" ? sum / (total + kEpsilon) : sum / total;
  }
  std::vector<double> results(std::span<const double> state) const override {
    if (!options_.average.empty()) return {result(state)};
    std::vector<double> scores;
    for (std::size_t c = 0; c < state.size() / 4; ++c) scores.push_back(score(state, c));
    return scores;
  }

 private:
  void check_shapes(const Shape& y_true, const Shape& y_pred) const {
    if (y_true.rank() == 2 && y_pred.rank() == 2 && shapes_fit(y_true, y_pred)) return;
    throw ShapeError(class_name_ +
                     " expects 2D inputs with shape (batch_size, output_dim). Received input shapes: "
                     "y_pred.shape=" +
                     y_pred.str() + " and y_true.shape=" + y_true.str() + ".");
  }

  Tensor predicted(const Tensor& y_pred) const {
    if (options_.threshold) return ops::greater(y_pred, scalar(*options_.threshold, y_pred.dtype()));
    const Tensor largest = ops::greater_equal(y_pred, ops::max(y_pred, {-1}, true));
    return ops::logical_and(largest, ops::greater(ops::abs(y_pred), scalar(kSmallest, y_pred.dtype())));
  }

  double score(std::span<const double> state, std::size_t c) const {
    const std::size_t classes = state.size() / 4;
    const double tp = state[c];
    const double precision = tp / (tp + state[classes + c] + kEpsilon);
    const double recall = tp / (tp + state[2 * classes + c] + kEpsilon);
    const double square = options_.beta * options_.beta;
    return precision * recall / (square * precision + recall + kEpsilon) * (1.0 + square);
  }

  std::string class_name_;
  metrics::FBetaOptions options_;
};

Metric f_score(const std::string& class_name, const metrics::FBetaOptions& options) {
  const std::string& average = options.average;
  if (!average.empty() && average != "micro" && average != "macro" && average != "weighted") {
    throw ConfigError(
        "Invalid `average` argument value. Expected one of: {None, 'micro', 'macro', 'weighted'}. "
        "Received: average=" +
        average);
  }
  if (!(options.beta > 0.0)) {
    throw ConfigError("Invalid `beta` argument value. It should be > 0. Received: beta=" +
                      Config(options.beta).to_json());
  }
  if (options.threshold && !(*options.threshold > 0.0 && *options.threshold <= 1.0)) {
    throw ConfigError("Invalid `threshold` argument value. It should verify 0 < threshold <= 1. Received: threshold=" +
                      Config(*options.threshold).to_json());
  }
  return {std::make_shared<FBetaMetric>(class_name, options)};
}

metrics::FBetaOptions options_from(const RuleArguments& a) {
  metrics::FBetaOptions options{.average = a.text("average", ""), .beta = a.number("beta", 1.0)};
  if (a.has("threshold")) options.threshold = a.number("threshold", 0.5);
  options.name = a.text("name", "");
  return options;
}

}  // namespace

namespace metrics {

Metric FBetaScore(const FBetaOptions& options) { return f_score("FBetaScore", options); }

Metric F1Score(const FBetaOptions& options) {
  if (options.beta != 1.0) {
    throw ConfigError("F1Score: expected beta to be 1, received " + Config(options.beta).to_json());
  }
  return f_score("F1Score", options);
}

}  // namespace metrics

void register_f_score(MetricTable& table) {
  add_metric(table, "FBetaScore", {"fbeta_score"}, {"average", "beta", "threshold"},
             [](const RuleArguments& a) { return metrics::FBetaScore(options_from(a)); });
  add_metric(table, "F1Score", {"f1_score"}, {"average", "threshold"},
             [](const RuleArguments& a) { return metrics::F1Score(options_from(a)); });
}

}  // namespace strata
