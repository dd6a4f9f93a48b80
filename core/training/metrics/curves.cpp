// SPDX-License-Identifier: Apache-2.0
// Metrics of curves over thresholds: the area under them, and the best point of them.
#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/model/session.h"
#include "core/ops/ops.h"
#include "core/training/metrics/confusion.h"

namespace strata {
namespace {

constexpr double kEpsilon = 1e-7;

/// 0, 1 / (count - 1), ..., 1.
std::vector<double> even_thresholds(int count) {
  std::vector<double> thresholds(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) thresholds[static_cast<std::size_t>(i)] = i / (count - 1.0);
  return thresholds;
}

struct Point {
  double x, y;
};

Point precision_gain(const Confusion& c) {
  if (c.true_positives == 0.0) return {0.0, 1.0};
  const double scale =
      quotient(c.true_positives + c.false_negatives, c.true_negatives + c.false_positives) / c.true_positives;
  return {std::max(0.0, 1.0 - scale * c.false_negatives), 1.0 - scale * c.false_positives};
}

class AucMetric final : public MetricFunction {
 public:
  explicit AucMetric(metrics::AUCOptions options) : options_(std::move(options)), counter_("AUC", counter_options()) {}

  std::string class_name() const override { return "AUC"; }
  std::string name() const override { return options_.name; }
  std::optional<bool> larger_is_better() const override { return true; }
  Config config() const override {
    const auto list = [](const std::vector<double>& values) {
      return values.empty() ? Config() : Config(Config::List(values.begin(), values.end()));
    };
    Config all = Config::object({{"num_thresholds", counter_.thresholds()},
                                 {"curve", options_.curve},
                                 {"summation_method", options_.summation_method},
                                 {"multi_label", options_.multi_label},
                                 {"num_labels", Config()},
                                 {"label_weights", list(options_.label_weights)},
                                 {"from_logits", options_.from_logits}});
    if (!options_.thresholds.empty()) all.set("thresholds", list(options_.thresholds));
    return all;
  }

  Tensor update(const MetricInputs& inputs) const override {
    if (!options_.from_logits) return counter_.update(inputs);
    return counter_.update({inputs.y_true, ops::sigmoid(inputs.y_pred), inputs.sample_weight, {}});
  }
  /// The mean over columns, weighted by label_weights.
  double result(std::span<const double> state) const override {
    const std::size_t columns = counter_.columns(state);
    double sum = 0.0, weights = 0.0;
    for (std::size_t c = 0; c < columns; ++c) {
      const double weight =
          options_.multi_label && !options_.label_weights.empty() ? options_.label_weights.at(c) : 1.0;
      sum += weight * area(state, c);
      weights += weight;
    }
    return quotient(sum, weights);
  }

 private:
  ConfusionCounter::Options counter_options() const {
    ConfusionCounter::Options counter{.columns = options_.multi_label};
    counter.even = options_.thresholds.empty();
    counter.zero_exceeds_first = true;
    counter.thresholds = even_thresholds(counter.even ? options_.num_thresholds : 2);
    counter.thresholds.insert(counter.thresholds.begin() + 1, options_.thresholds.begin(), options_.thresholds.end());
    std::sort(counter.thresholds.begin(), counter.thresholds.end());
    counter.thresholds.front() -= kEpsilon;
    counter.thresholds.back() += kEpsilon;
    if (!options_.multi_label) counter.column_weights = options_.label_weights;
    return counter;
  }

  double area(std::span<const double> state, std::size_t column) const {
    const bool interpolates = options_.curve == "PR" && options_.summation_method == "interpolation";
    double sum = 0.0;
    Confusion higher;  // of the threshold before
    counter_.visit(state, column, [&](std::size_t i, const Confusion& c) {
      if (i + 1 < counter_.thresholds()) sum += interpolates ? interpolated(c, higher) : rectangle(c, higher);
      higher = c;
    });
    return sum;
  }

  Point point(const Confusion& c) const {
    if (options_.curve == "ROC") return {quotient(c.false_positives, c.false_positives + c.true_negatives), recall(c)};
    return options_.curve == "PR" ? Point{recall(c), precision(c)} : precision_gain(c);
  }
  double rectangle(const Confusion& lower, const Confusion& higher) const {
    const Point a = point(lower), b = point(higher);
    const double height = options_.summation_method == "interpolation" ? (a.y + b.y) / 2.0
                          : options_.summation_method == "minoring"    ? std::min(a.y, b.y)
                                                                       : std::max(a.y, b.y);
    return (a.x - b.x) * height;
  }
  /// Davis and Goadrich, "The relationship between precision-recall and ROC curves" (2006).
  static double interpolated(const Confusion& lower, const Confusion& higher) {
    const double p = lower.true_positives + lower.false_positives;
    const double next = higher.true_positives + higher.false_positives;
    const double gained = lower.true_positives - higher.true_positives;
    const double slope = quotient(gained, std::max(p - next, 0.0));
    const double intercept = higher.true_positives - slope * next;
    const double ratio = p > 0.0 && next > 0.0 ? p / next : 1.0;
    return quotient(slope * (gained + intercept * std::log(ratio)),
                    std::max(higher.true_positives + higher.false_negatives, 0.0));
  }

  metrics::AUCOptions options_;
  ConfusionCounter counter_;
};

/// The best `dependent` at a threshold where `constrained` is at least `least`.
class BestPoint final : public MetricFunction {
 public:
  using Value = double (*)(const Confusion&);
  BestPoint(std::string class_name, std::string argument, double least, metrics::AtThresholdOptions options,
            Value constrained, Value dependent)
      : class_name_(std::move(class_name)),
        argument_(std::move(argument)),
        least_(least),
        options_(std::move(options)),
        constrained_(constrained),
        dependent_(dependent),
        counter_(class_name_, counter_options()) {}

  std::string class_name() const override { return class_name_; }
  std::string name() const override { return options_.name.empty() ? to_snake_case(class_name_) : options_.name; }
  std::optional<bool> larger_is_better() const override { return true; }
  Config config() const override {
    return Config::object({{"class_id", options_.class_id ? Config(*options_.class_id) : Config()},
                           {"num_thresholds", options_.num_thresholds},
                           {argument_, least_}});
  }
  Tensor update(const MetricInputs& inputs) const override { return counter_.update(inputs); }
  double result(std::span<const double> state) const override {
    double best = 0.0;
    counter_.visit(state, 0, [&](std::size_t, const Confusion& c) {
      if (constrained_(c) >= least_) best = std::max(best, dependent_(c));
    });
    return best;
  }

 private:
  ConfusionCounter::Options counter_options() const {
    ConfusionCounter::Options counter{.class_id = options_.class_id};
    counter.even = options_.num_thresholds > 1;
    counter.thresholds = counter.even ? even_thresholds(options_.num_thresholds) : std::vector<double>{0.5};
    return counter;
  }

  std::string class_name_;
  std::string argument_;
  double least_;
  metrics::AtThresholdOptions options_;
  Value constrained_;
  Value dependent_;
  ConfusionCounter counter_;
};

Metric best_point(const std::string& class_name, const std::string& argument, double least,
                  const metrics::AtThresholdOptions& options, BestPoint::Value constrained,
                  BestPoint::Value dependent) {
  if (!(least >= 0.0 && least <= 1.0)) {
    throw ConfigError("Argument `" + argument + "` must be in the range [0, 1]. Received: " + argument + "=" +
                      Config(least).to_json());
  }
  if (options.num_thresholds <= 0) {
    throw ConfigError("Argument `num_thresholds` must be an integer > 0. Received: num_thresholds=" +
                      std::to_string(options.num_thresholds));
  }
  return {std::make_shared<BestPoint>(class_name, argument, least, options, constrained, dependent)};
}

void add_best_point(MetricTable& table, const std::string& class_name, const char* argument,
                    Metric (*make)(double, const metrics::AtThresholdOptions&)) {
  add_metric(table, class_name, {to_snake_case(class_name)}, {argument, "num_thresholds", "class_id"},
             [make, argument](const RuleArguments& a) {
               metrics::AtThresholdOptions options;
               options.num_thresholds = static_cast<int>(a.integer("num_thresholds", 200));
               if (const auto id = a.optional_integer("class_id")) options.class_id = static_cast<int>(*id);
               options.name = a.text("name", "");
               return make(a.number(argument, 0.5), options);
             });
}

/// "ROC", "PR", ... whatever the case of Keras' spellings.
std::string one_of(const std::string& what, const std::string& value, const std::vector<std::string>& allowed) {
  std::string list;
  for (const std::string& name : allowed) {
    const bool same = std::equal(name.begin(), name.end(), value.begin(), value.end(),
                                 [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
    if (same) return name;
    list += (list.empty() ? "\"" : ", \"") + name + "\"";
  }
  throw ConfigError("Invalid " + what + " value: \"" + value + "\". Expected values are [" + list + "]");
}

}  // namespace

namespace metrics {

Metric AUC(const AUCOptions& given) {
  AUCOptions options = given;
  options.curve = one_of("AUC curve", options.curve, {"PR", "ROC", "PRGAIN"});
  options.summation_method =
      one_of("AUC summation method", options.summation_method, {"interpolation", "majoring", "minoring"});
  if (options.num_thresholds <= 1) {
    throw ConfigError("Argument `num_thresholds` must be an integer > 1. Received: num_thresholds=" +
                      std::to_string(options.num_thresholds));
  }
  return {std::make_shared<AucMetric>(std::move(options))};
}

Metric SensitivityAtSpecificity(double value, const AtThresholdOptions& options) {
  return best_point("SensitivityAtSpecificity", "specificity", value, options, specificity, recall);
}
Metric SpecificityAtSensitivity(double value, const AtThresholdOptions& options) {
  return best_point("SpecificityAtSensitivity", "sensitivity", value, options, recall, specificity);
}
Metric PrecisionAtRecall(double value, const AtThresholdOptions& options) {
  return best_point("PrecisionAtRecall", "recall", value, options, recall, precision);
}
Metric RecallAtPrecision(double value, const AtThresholdOptions& options) {
  return best_point("RecallAtPrecision", "precision", value, options, precision, recall);
}

}  // namespace metrics

void register_curves(MetricTable& table) {
  using namespace metrics;
  add_metric(table, "AUC", {"auc"},
             {"num_thresholds", "curve", "summation_method", "thresholds", "multi_label", "label_weights", "num_labels",
              "from_logits"},
             [](const RuleArguments& a) {
               return AUC({.num_thresholds = static_cast<int>(a.integer("num_thresholds", 200)),
                           .curve = a.text("curve", "ROC"),
                           .summation_method = a.text("summation_method", "interpolation"),
                           .name = a.text("name", "auc"),
                           .thresholds = a.numbers("thresholds"),
                           .multi_label = a.flag("multi_label", false),
                           .label_weights = a.numbers("label_weights"),
                           .from_logits = a.flag("from_logits", false)});
             });
  add_best_point(table, "SensitivityAtSpecificity", "specificity", SensitivityAtSpecificity);
  add_best_point(table, "SpecificityAtSensitivity", "sensitivity", SpecificityAtSensitivity);
  add_best_point(table, "PrecisionAtRecall", "recall", PrecisionAtRecall);
  add_best_point(table, "RecallAtPrecision", "precision", RecallAtPrecision);
}

}  // namespace strata
