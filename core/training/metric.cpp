// SPDX-License-Identifier: Apache-2.0
#include "core/training/metric.h"

#include "core/base/error.h"
#include "core/training/crossentropy.h"
#include "core/training/targets.h"

namespace strata {
namespace {

Tensor binary_accuracy(const Tensor& y_true, const Tensor& y_pred, double threshold) {
  const auto [targets, outputs] = fit_targets("BinaryAccuracy", y_true, y_pred);
  const Tensor predicted = ops::cast(ops::greater(outputs, scalar(threshold, outputs.dtype())), outputs.dtype());
  return ops::mean(ops::cast(ops::equal(targets, predicted), outputs.dtype()), {-1});
}

Tensor categorical_accuracy(const Tensor& y_true, const Tensor& y_pred) {
  const auto [targets, outputs] = fit_targets("CategoricalAccuracy", y_true, y_pred);
  return ops::cast(ops::equal(ops::argmax(targets), ops::argmax(outputs)), outputs.dtype());
}

Tensor sparse_categorical_accuracy(const Tensor& y_true, const Tensor& y_pred) {
  const Tensor labels = fit_labels("SparseCategoricalAccuracy", y_true, y_pred);
  return ops::cast(ops::equal(labels, ops::argmax(y_pred)), y_pred.dtype());
}

/// What "accuracy" means for these shapes in Keras 3.
Tensor accuracy(const Tensor& y_true, const Tensor& y_pred) {
  if (y_pred.rank() < 2 || y_pred.shape().back() == 1) return binary_accuracy(y_true, y_pred, 0.5);
  if (y_true.rank() < y_pred.rank() || y_true.shape().back() == 1) return sparse_categorical_accuracy(y_true, y_pred);
  return categorical_accuracy(y_true, y_pred);
}

/// A metric that is a function and a name.
template <class F>
class NamedMetric final : public MetricFunction {
 public:
  NamedMetric(std::string name, F f) : name_(std::move(name)), f_(std::move(f)) {}
  std::string name() const override { return name_; }
  Tensor values(const Tensor& y_true, const Tensor& y_pred) const override { return f_(y_true, y_pred); }

 private:
  std::string name_;
  F f_;
};

template <class F>
std::shared_ptr<const MetricFunction> named(std::string name, F f) {
  return std::make_shared<NamedMetric<F>>(std::move(name), std::move(f));
}

/// The metric keeps the name under which the user asked for it.
std::shared_ptr<const MetricFunction> find_metric(const std::string& name) {
  if (name == "accuracy" || name == "acc") return named(name, accuracy);
  if (name == "binary_accuracy" || name == "BinaryAccuracy") {
    return named(name, [](const Tensor& y_true, const Tensor& y_pred) { return binary_accuracy(y_true, y_pred, 0.5); });
  }
  if (name == "categorical_accuracy" || name == "CategoricalAccuracy") return named(name, categorical_accuracy);
  if (name == "sparse_categorical_accuracy" || name == "SparseCategoricalAccuracy") {
    return named(name, sparse_categorical_accuracy);
  }
  if (const Loss loss = find_loss(name)) {
    return named(name, [loss](const Tensor& y_true, const Tensor& y_pred) { return loss->values(y_true, y_pred); });
  }
  throw ConfigError("Unknown metric function: " + name +
                    ". Expected accuracy, binary_accuracy, categorical_accuracy, sparse_categorical_accuracy, or the "
                    "name of a loss.");
}

}  // namespace

Metric::Metric(const std::string& name) : function_(find_metric(name)) {}

Metric metrics::BinaryAccuracy(double threshold) {
  if (!(threshold > 0.0 && threshold < 1.0)) {
    throw ConfigError(
        "Invalid value for argument `threshold`. Expected a value in interval (0, 1). "
        "Received: threshold=" +
        Config(threshold).to_json());
  }
  return named("binary_accuracy", [threshold](const Tensor& y_true, const Tensor& y_pred) {
    return binary_accuracy(y_true, y_pred, threshold);
  });
}

Metric metrics::CategoricalAccuracy() { return named("categorical_accuracy", categorical_accuracy); }

Metric metrics::SparseCategoricalAccuracy() {
  return named("sparse_categorical_accuracy", sparse_categorical_accuracy);
}

}  // namespace strata
