// SPDX-License-Identifier: Apache-2.0
// Intersection over union of classes.
#include <algorithm>
#include <numeric>

#include "core/base/error.h"
#include "core/model/session.h"
#include "core/ops/ops.h"
#include "core/training/loss_sum.h"
#include "core/training/metrics/table.h"

namespace strata {
namespace {

constexpr double kEpsilon = 1e-7;

/// Which arguments of Keras a class has, beside the name.
struct IoUClass {
  std::string class_name;
  std::vector<std::string> arguments;
};

/// State: the confusion matrix, element [true][predicted] the weight of such positions.
class IoUMetric final : public MetricFunction {
 public:
  IoUMetric(IoUClass kind, int classes, std::vector<int> targets, metrics::IoUOptions options,
            std::optional<double> threshold = {})
      : kind_(std::move(kind)),
        classes_(classes),
        targets_(std::move(targets)),
        options_(std::move(options)),
        threshold_(threshold) {}

  std::string class_name() const override { return kind_.class_name; }
  std::string name() const override { return options_.name.empty() ? to_snake_case(class_name()) : options_.name; }
  std::optional<bool> larger_is_better() const override { return true; }
  Config config() const override {
    const Config all =
        Config::object({{"num_classes", classes_},
                        {"target_class_ids", Config::List(targets_.begin(), targets_.end())},
                        {"threshold", threshold_ ? Config(*threshold_) : Config()},
                        {"ignore_class", options_.ignore_class ? Config(*options_.ignore_class) : Config()},
                        {"sparse_y_true", options_.sparse_y_true},
                        {"sparse_y_pred", options_.sparse_y_pred},
                        {"axis", options_.axis}});
    Config own = Config::object();
    for (const std::string& argument : kind_.arguments) own.set(argument, all.at(argument));
    return own;
  }

  Tensor update(const MetricInputs& inputs) const override {
    const Tensor labels = classes_of(inputs.y_true, options_.sparse_y_true);
    const Tensor found = classes_of(thresholded(inputs.y_pred), options_.sparse_y_pred);
    Tensor counts = ops::logical_and(in_range(labels), in_range(found));
    if (options_.ignore_class) {
      counts = ops::logical_and(counts, ops::not_equal(labels, integer(*options_.ignore_class)));
    }
    const Tensor cell = ops::select(counts, labels * static_cast<double>(classes_) + found, integer(-1));
    return ops::scatter_add(cell, weights(inputs, labels), Dim{classes_} * classes_);
  }

  double result(std::span<const double> state) const override {
    const auto n = static_cast<std::size_t>(classes_);
    double sum = 0.0, valid = 0.0;
    for (const int target : targets_) {
      const auto c = static_cast<std::size_t>(target);
      double row = 0.0, column = 0.0;
      for (std::size_t k = 0; k < n; ++k) {
        row += state[c * n + k];
        column += state[k * n + c];
      }
      const double both = state[c * n + c];
      const double either = row + column - both;
      if (either <= 1e-9) continue;
      sum += both / (either + kEpsilon);
      valid += 1.0;
    }
    return sum / (valid + kEpsilon);
  }

 private:
  static Tensor integer(std::int64_t value) { return constant(std::vector<std::int64_t>{value}, {}); }

  Tensor thresholded(const Tensor& y_pred) const {
    return threshold_ ? ops::greater_equal(y_pred, scalar(*threshold_, y_pred.dtype())) : y_pred;
  }
  /// int64 [positions].
  Tensor classes_of(const Tensor& x, bool sparse) const {
    const Tensor ids = sparse ? ops::cast(x, Dtype::int64) : ops::argmax(x, options_.axis);
    return ops::reshape(ids, {None});
  }
  Tensor in_range(const Tensor& ids) const {
    return ops::logical_and(ops::greater_equal(ids, integer(0)), ops::less(ids, integer(classes_)));
  }
  Tensor weights(const MetricInputs& inputs, const Tensor& labels) const {
    if (!inputs.sample_weight) return ops::ones_like(ops::cast(labels, Dtype::float64));
    const Tensor position = options_.sparse_y_true ? inputs.y_true : ops::argmax(inputs.y_true, options_.axis);
    const Tensor fitted = fit_weights(name() + ": sample_weight", inputs.sample_weight, position);
    return ops::reshape(ops::broadcast_to(ops::cast(fitted, Dtype::float64), position.shape()), {None});
  }

  IoUClass kind_;
  int classes_;
  std::vector<int> targets_;
  metrics::IoUOptions options_;
  std::optional<double> threshold_;
};

std::vector<int> all_classes(int count) {
  std::vector<int> ids(static_cast<std::size_t>(std::max(count, 0)));
  std::iota(ids.begin(), ids.end(), 0);
  return ids;
}

const IoUClass kIoU{"IoU",
                    {"num_classes", "target_class_ids", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis"}};
const IoUClass kMeanIoU{"MeanIoU", {"num_classes", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis"}};
const IoUClass kBinaryIoU{"BinaryIoU", {"target_class_ids", "threshold"}};
const IoUClass kOneHotIoU{"OneHotIoU", {"num_classes", "target_class_ids", "ignore_class", "sparse_y_pred", "axis"}};
const IoUClass kOneHotMeanIoU{"OneHotMeanIoU", {"num_classes", "ignore_class", "sparse_y_pred", "axis"}};

Metric iou(const IoUClass& kind, int classes, const std::vector<int>& targets, const metrics::IoUOptions& options,
           std::optional<double> threshold = {}) {
  if (classes < 1) {
    throw ConfigError(kind.class_name + ": expected num_classes of at least 1, received " + std::to_string(classes));
  }
  for (const int target : targets) {
    if (target >= 0 && target < classes) continue;
    throw ConfigError("Target class id " + std::to_string(target) + " is out of range, which is [0, " +
                      std::to_string(classes) + ").");
  }
  return {std::make_shared<IoUMetric>(kind, classes, targets, options, threshold)};
}

metrics::IoUOptions one_hot(const metrics::OneHotIoUOptions& options) {
  return {options.ignore_class, false, options.sparse_y_pred, options.axis, options.name};
}

std::vector<int> target_ids(const RuleArguments& a, std::vector<int> otherwise) {
  return a.axes("target_class_ids", std::move(otherwise));
}

metrics::IoUOptions options_from(const RuleArguments& a) {
  return {a.optional_integer("ignore_class"), a.flag("sparse_y_true", true), a.flag("sparse_y_pred", true),
          static_cast<int>(a.integer("axis", -1)), a.text("name", "")};
}

metrics::OneHotIoUOptions one_hot_options_from(const RuleArguments& a) {
  return {a.optional_integer("ignore_class"), a.flag("sparse_y_pred", false), static_cast<int>(a.integer("axis", -1)),
          a.text("name", "")};
}

int class_count(const RuleArguments& a) { return static_cast<int>(a.integer("num_classes", 0)); }

}  // namespace

namespace metrics {

Metric MeanIoU(int num_classes, const IoUOptions& options) {
  return iou(kMeanIoU, num_classes, all_classes(num_classes), options);
}
Metric IoU(int num_classes, const std::vector<int>& target_class_ids, const IoUOptions& options) {
  return iou(kIoU, num_classes, target_class_ids, options);
}
Metric BinaryIoU(const std::vector<int>& target_class_ids, double threshold, const std::string& name) {
  return iou(kBinaryIoU, 2, target_class_ids, {.name = name}, threshold);
}
Metric OneHotIoU(int num_classes, const std::vector<int>& target_class_ids, const OneHotIoUOptions& options) {
  return iou(kOneHotIoU, num_classes, target_class_ids, one_hot(options));
}
Metric OneHotMeanIoU(int num_classes, const OneHotIoUOptions& options) {
  return iou(kOneHotMeanIoU, num_classes, all_classes(num_classes), one_hot(options));
}

}  // namespace metrics

void register_iou(MetricTable& table) {
  using namespace metrics;
  const auto add = [&](const IoUClass& kind, std::function<Metric(const RuleArguments&)> make) {
    add_metric(table, kind.class_name, {to_snake_case(kind.class_name)}, kind.arguments, std::move(make));
  };
  add(kMeanIoU, [](const RuleArguments& a) { return MeanIoU(class_count(a), options_from(a)); });
  add(kIoU, [](const RuleArguments& a) { return IoU(class_count(a), target_ids(a, {}), options_from(a)); });
  add(kBinaryIoU, [](const RuleArguments& a) {
    return BinaryIoU(target_ids(a, {0, 1}), a.number("threshold", 0.5), a.text("name", "binary_io_u"));
  });
  add(kOneHotIoU,
      [](const RuleArguments& a) { return OneHotIoU(class_count(a), target_ids(a, {}), one_hot_options_from(a)); });
  add(kOneHotMeanIoU, [](const RuleArguments& a) { return OneHotMeanIoU(class_count(a), one_hot_options_from(a)); });
}

}  // namespace strata
