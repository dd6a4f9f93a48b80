// SPDX-License-Identifier: Apache-2.0
#include "core/training/metrics/confusion.h"

#include "core/base/error.h"
#include "core/ops/ops.h"
#include "core/training/loss_sum.h"
#include "core/training/losses/formula.h"
#include "core/training/targets.h"

namespace strata {
namespace {

constexpr double kNotPredicted = -1e10;

/// All but the k largest outputs of the last axis, of equal ones the first, become kNotPredicted.
Tensor only_top_k(const Tensor& x, int k) {
  const Tensor own = ops::expand_dims(x, -1);     // (..., c, 1)
  const Tensor others = ops::expand_dims(x, -2);  // (..., 1, c)
  const Dim classes = x.shape().back();
  const Tensor before = ops::less(ops::iota({classes, classes}, 1), ops::iota({classes, classes}, 0));
  const Tensor ahead = ops::logical_or(ops::greater(others, own), ops::logical_and(ops::equal(others, own), before));
  const Tensor rank = ops::sum(ops::cast(ahead, x.dtype()), {-1});
  return ops::select(ops::less(rank, scalar(k, x.dtype())), x, scalar(kNotPredicted, x.dtype()));
}

Tensor class_of(const Tensor& x, int id) {
  std::vector<Dim> begin(static_cast<std::size_t>(x.rank()), 0), end(static_cast<std::size_t>(x.rank()), None);
  begin.back() = id;
  end.back() = id + 1;
  return ops::slice(x, begin, end);
}

}  // namespace

Tensor ConfusionCounter::chosen_outputs(const Tensor& y_pred) const {
  const Dim classes = y_pred.shape().back();
  if (options_.class_id && (*options_.class_id < 0 || *options_.class_id >= classes)) {
    throw ConfigError(name_ + ": expected a class_id in [0, " + std::to_string(classes) + "), received " +
                      std::to_string(*options_.class_id) + " for y_pred of shape " + y_pred.shape().str());
  }
  return options_.top_k ? only_top_k(y_pred, *options_.top_k) : y_pred;
}

/// The place of the highest threshold that each output exceeds; negative for none.
Tensor ConfusionCounter::exceeded(const Tensor& outputs) const {
  const double count = static_cast<double>(thresholds());
  if (options_.even) {
    const Tensor place = ops::ceil(ops::clip(outputs, 0.0, 1.0) * (count - 1.0)) - 1.0;
    return ops::cast(options_.zero_exceeds_first ? ops::relu(place) : place, Dtype::int64);
  }
  const Tensor thresholds = ops::cast(constant(options_.thresholds, {static_cast<Dim>(count)}), outputs.dtype());
  const Tensor above = ops::cast(ops::greater(ops::expand_dims(outputs, -1), thresholds), Dtype::int64);
  return ops::sum(above, {-1}) - 1.0;
}

Tensor ConfusionCounter::update(const MetricInputs& inputs) const {
  auto [targets, outputs] = fit_targets(name_, inputs.y_true, inputs.y_pred);
  if (options_.columns && outputs.rank() != 2) {
    throw ShapeError("`y_pred` must have rank 2 when `multi_label=True`. Found rank " + std::to_string(outputs.rank()) +
                     ". Full shape received for `y_pred`: " + outputs.shape().str());
  }
  outputs = chosen_outputs(outputs);
  Tensor weights = ops::ones_like(ops::cast(outputs, Dtype::float64));
  if (inputs.sample_weight) {
    weights =
        weights * ops::cast(fit_weights(name_ + ": sample_weight", inputs.sample_weight, outputs), Dtype::float64);
  }
  if (!options_.column_weights.empty()) {
    weights = weights * constant(options_.column_weights, {static_cast<Dim>(options_.column_weights.size())});
  }
  if (options_.class_id) {
    targets = class_of(targets, *options_.class_id);
    outputs = class_of(outputs, *options_.class_id);
    weights = class_of(weights, *options_.class_id);
  }
  const Dim columns = options_.columns ? outputs.shape().back() : 1;
  const Shape table{None, columns};
  const Tensor is_true = ops::reshape(ops::cast(ops::cast(targets, Dtype::boolean), Dtype::float64), table);
  const Tensor weight = ops::reshape(weights, table);
  const Tensor both = ops::stack({is_true * weight, (1.0 - is_true) * weight}, 2);  // (samples, columns, 2)
  const Tensor place = ops::reshape(exceeded(outputs), table) * static_cast<double>(columns);
  const Tensor rows = place + ops::iota({1, columns}, 1);
  const Tensor counts = ops::scatter_add(rows, both, static_cast<Dim>(thresholds()) * columns);
  const Tensor totals = ops::transpose(ops::sum(both, {0}), {1, 0});  // (2, columns)
  return ops::concatenate({ops::reshape(counts, {None}), ops::reshape(totals, {None})}, 0);
}

}  // namespace strata
