// SPDX-License-Identifier: Apache-2.0
// Metrics that count what is predicted and true at given thresholds.
#include <algorithm>
#include <numeric>

#include "core/base/error.h"
#include "core/model/session.h"
#include "core/training/metrics/confusion.h"

namespace strata {
namespace {

constexpr double kAnyOutput = -1e10;  // below what top_k leaves out

class CountMetric final : public MetricFunction {
 public:
  using Value = double (*)(const Confusion&);

  CountMetric(std::string class_name, metrics::ThresholdOptions options, bool selects, Value value)
      : class_name_(std::move(class_name)),
        options_(std::move(options)),
        selects_(selects),
        value_(value),
        order_(sorted_places(wanted())),
        counter_(class_name_, counter_options()) {}

  std::string class_name() const override { return class_name_; }
  std::string name() const override { return options_.name.empty() ? to_snake_case(class_name_) : options_.name; }
  /// A count is neither.
  std::optional<bool> larger_is_better() const override { return selects_ ? std::optional(true) : std::nullopt; }
  Config config() const override {
    Config thresholds;
    if (options_.thresholds.size() == 1) thresholds = options_.thresholds[0];
    if (options_.thresholds.size() > 1) {
      thresholds = Config::List(options_.thresholds.begin(), options_.thresholds.end());
    }
    Config all = Config::object({{"thresholds", thresholds}});
    if (!selects_) return all;
    all.set("top_k", options_.top_k ? Config(*options_.top_k) : Config());
    return all.set("class_id", options_.class_id ? Config(*options_.class_id) : Config());
  }

  Tensor update(const MetricInputs& inputs) const override { return counter_.update(inputs); }
  double result(std::span<const double> state) const override {
    if (order_.size() != 1) {
      throw ConfigError(name() + " has one value a threshold, of which there are " + std::to_string(order_.size()) +
                        ": expected one threshold");
    }
    double value = 0.0;
    counter_.visit(state, 0, [&](std::size_t, const Confusion& c) { value = value_(c); });
    return value;
  }
  std::vector<double> results(std::span<const double> state) const override {
    std::vector<double> values(order_.size());
    counter_.visit(state, 0, [&](std::size_t i, const Confusion& c) { values[order_[i]] = value_(c); });
    return values;
  }

 private:
  std::vector<double> wanted() const {
    if (!options_.thresholds.empty()) return options_.thresholds;
    return {options_.top_k ? kAnyOutput : 0.5};
  }
  ConfusionCounter::Options counter_options() const {
    ConfusionCounter::Options options{.thresholds = wanted(), .top_k = options_.top_k, .class_id = options_.class_id};
    std::sort(options.thresholds.begin(), options.thresholds.end());
    return options;
  }
  /// For each threshold in ascending order, its place in the user's order.
  static std::vector<std::size_t> sorted_places(const std::vector<double>& values) {
    std::vector<std::size_t> places(values.size());
    std::iota(places.begin(), places.end(), 0);
    std::stable_sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
    return places;
  }

  std::string class_name_;
  metrics::ThresholdOptions options_;
  bool selects_;  // whether top_k and class_id are arguments
  Value value_;
  std::vector<std::size_t> order_;
  ConfusionCounter counter_;
};

Metric count_metric(const std::string& class_name, const metrics::ThresholdOptions& options, bool selects,
                    CountMetric::Value value) {
  for (const double t : options.thresholds) {
    if (t >= 0.0 && t <= 1.0) continue;
    throw ConfigError("Threshold values must be in [0, 1]. Received: [" + Config(t).to_json() + "]");
  }
  if (!selects && (options.top_k || options.class_id)) {
    throw ConfigError(class_name + ": top_k and class_id are arguments of Precision and Recall only");
  }
  if (options.top_k && *options.top_k < 1) {
    throw ConfigError(class_name + ": expected top_k of at least 1, received " + std::to_string(*options.top_k));
  }
  return {std::make_shared<CountMetric>(class_name, options, selects, value)};
}

std::optional<int> optional_int(const RuleArguments& a, const char* key) {
  const auto value = a.optional_integer(key);
  return value ? std::optional<int>(static_cast<int>(*value)) : std::nullopt;
}

void add_count(MetricTable& table, const std::string& class_name, bool selects,
               Metric (*make)(const metrics::ThresholdOptions&)) {
  std::vector<std::string> arguments{"thresholds"};
  if (selects) arguments.insert(arguments.end(), {"top_k", "class_id"});
  add_metric(table, class_name, {to_snake_case(class_name)}, arguments, [make](const RuleArguments& a) {
    return make({.thresholds = a.numbers("thresholds"),
                 .top_k = optional_int(a, "top_k"),
                 .class_id = optional_int(a, "class_id"),
                 .name = a.text("name", "")});
  });
}

}  // namespace

namespace metrics {

Metric TruePositives(const ThresholdOptions& options) {
  return count_metric("TruePositives", options, false, [](const Confusion& c) { return c.true_positives; });
}
Metric FalsePositives(const ThresholdOptions& options) {
  return count_metric("FalsePositives", options, false, [](const Confusion& c) { return c.false_positives; });
}
Metric TrueNegatives(const ThresholdOptions& options) {
  return count_metric("TrueNegatives", options, false, [](const Confusion& c) { return c.true_negatives; });
}
Metric FalseNegatives(const ThresholdOptions& options) {
  return count_metric("FalseNegatives", options, false, [](const Confusion& c) { return c.false_negatives; });
}
Metric Precision(const ThresholdOptions& options) { return count_metric("Precision", options, true, precision); }
Metric Recall(const ThresholdOptions& options) { return count_metric("Recall", options, true, recall); }

}  // namespace metrics

void register_counts(MetricTable& table) {
  using namespace metrics;
  add_count(table, "TruePositives", false, TruePositives);
  add_count(table, "FalsePositives", false, FalsePositives);
  add_count(table, "TrueNegatives", false, TrueNegatives);
  add_count(table, "FalseNegatives", false, FalseNegatives);
  add_count(table, "Precision", true, Precision);
  add_count(table, "Recall", true, Recall);
}

}  // namespace strata
