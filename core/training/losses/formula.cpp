// SPDX-License-Identifier: Apache-2.0
#include "core/training/losses/formula.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/model/session.h"
#include "core/training/targets.h"

namespace strata {
namespace {

class FormulaLoss final : public LossFunction {
 public:
  explicit FormulaLoss(LossFormula formula) : formula_(std::move(formula)) {}

  std::string class_name() const override { return formula_.class_name; }
  std::string name() const override { return formula_.name.empty() ? LossFunction::name() : formula_.name; }
  Reduction reduction() const override { return formula_.reduction; }
  Config config() const override { return formula_.config; }

  Tensor values(const Tensor& y_true, const Tensor& y_pred) const override {
    if (formula_.kind == TargetKind::labels) return label_values(y_true, y_pred);
    const auto [targets, outputs] = fit_targets(name(), y_true, y_pred, use());
    return formula_.values(targets, outputs);
  }
  Tensor mask(const Tensor& y_true, const Tensor& y_pred) const override {
    if (!formula_.ignored_label) return {};
    return counted(fit_labels(class_name(), y_true, y_pred));
  }
  void check_targets(const HostArray& y_true, const TensorSpec& y_pred) const override {
    if (formula_.kind == TargetKind::labels) {
      check_label_shape(class_name(), y_true.spec().shape, y_pred.shape);
      check_labels(class_name(), y_true, y_pred.shape.back(), formula_.ignored_label);
    } else {
      check_target_shape(name(), y_true.spec().shape, y_pred.shape, use());
    }
    if (formula_.check) formula_.check(y_true, y_pred);
  }

 private:
  TargetUse use() const { return formula_.kind == TargetKind::one_hot ? TargetUse::one_hot_loss : TargetUse::loss; }
  Tensor counted(const Tensor& labels) const {
    return ops::not_equal(labels, constant(std::vector<std::int64_t>{*formula_.ignored_label}, {}));
  }
  /// Ignored positions are computed with label 0 and equal outputs, so that nothing of them reaches the gradient.
  Tensor label_values(const Tensor& y_true, const Tensor& y_pred) const {
    const Tensor labels = fit_labels(class_name(), y_true, y_pred);
    if (!formula_.ignored_label) return formula_.values(labels, y_pred);
    const Tensor counts = counted(labels);
    const Tensor outputs = ops::select(ops::expand_dims(counts, -1), y_pred, ops::ones_like(y_pred));
    const Tensor values = formula_.values(ops::select(counts, labels, ops::zeros_like(labels)), outputs);
    return ops::select(counts, values, ops::zeros_like(values));
  }

  LossFormula formula_;
};

/// Whether the label, truncated to an integer, is one of 0 ... classes - 1.
template <class T>
bool is_class(T label, Dim classes) {
  if constexpr (std::is_floating_point_v<T>) {
    return label > T{-1} && label < static_cast<T>(classes);
  } else {
    return static_cast<std::int64_t>(label) >= 0 && static_cast<std::int64_t>(label) < classes;
  }
}

template <class T>
void check_labels_of(const std::string& loss, const HostArray& y_true, Dim classes,
                     std::optional<std::int64_t> ignored) {
  const Dim width = y_true.row_shape().elements();
  std::vector<std::byte> space;
  for (Dim row = 0; row < y_true.rows(); ++row) {
    const T* labels = y_true.values_of_row<T>(row, space);
    for (Dim i = 0; i < width; ++i) {
      if (is_class(labels[i], classes) || (ignored && labels[i] == static_cast<T>(*ignored))) continue;
      throw ConfigError(
          fmt::format("{}: expected labels in [0, {}), received {} in sample {}", loss, classes, labels[i], row));
    }
  }
}

}  // namespace

Loss make_loss(LossFormula formula) { return {std::make_shared<FormulaLoss>(std::move(formula))}; }

void check_labels(const std::string& loss, const HostArray& y_true, Dim classes, std::optional<std::int64_t> ignored) {
  visit_dtype(y_true.spec().dtype, [&]<class T>(TypeTag<T>) { check_labels_of<T>(loss, y_true, classes, ignored); });
}

Tensor clip_probabilities(const Tensor& p) {
  constexpr double epsilon = 1e-7;
  return ops::clip(p, epsilon, 1.0 - epsilon);
}

Tensor normalized_probabilities(const Tensor& p, int axis) { return clip_probabilities(p / ops::sum(p, {axis}, true)); }

Tensor smooth_labels(const Tensor& t, double smoothing, double classes) {
  return smoothing == 0.0 ? t : t * (1.0 - smoothing) + smoothing / classes;
}

Tensor smooth_labels(const std::string& loss, const Tensor& t, double smoothing, int axis) {
  if (smoothing == 0.0) return t;
  const Dim classes = t.shape()[normalize_axis(axis, t.rank(), "label smoothing")];
  if (classes == None) {
    throw ShapeError(loss + ": label smoothing expects a known number of classes, received y_true " + t.shape().str());
  }
  return smooth_labels(t, smoothing, static_cast<double>(classes));
}

void check_label_smoothing(const std::string& loss, double smoothing) {
  if (smoothing >= 0.0 && smoothing <= 1.0) return;
  throw ConfigError(loss + ": expected label_smoothing in [0, 1], received " + Config(smoothing).to_json());
}

losses::LossOptions common_options(const RuleArguments& arguments) {
  const std::string reduction = arguments.text("reduction", "sum_over_batch_size");
  return {.reduction = reduction == "auto" ? Reduction::sum_over_batch_size : reduction_from_string(reduction),
          .name = arguments.text("name", "")};
}

void add_loss(LossTable& table, const std::string& class_name, std::vector<std::string> short_names,
              std::vector<std::string> arguments, std::function<Loss(const RuleArguments&)> make) {
  short_names.push_back(to_snake_case(class_name));
  arguments.insert(arguments.end(), {"name", "reduction"});
  table[class_name] = {std::move(short_names), std::move(arguments), std::move(make)};
}

void add_loss(LossTable& table, const std::string& class_name, std::vector<std::string> short_names,
              Loss (*make)(const losses::LossOptions&)) {
  add_loss(table, class_name, std::move(short_names), {},
           [make](const RuleArguments& arguments) { return make(common_options(arguments)); });
}

}  // namespace strata
