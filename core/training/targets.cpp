// SPDX-License-Identifier: Apache-2.0
#include "core/training/targets.h"

#include <optional>

#include "core/base/error.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

/// What must happen to the last axis of y_true.
enum class LastAxis { keep, add, remove };

void require_samples(const std::string& name, const Shape& y_true, const Shape& y_pred) {
  if (y_true.rank() > 0 && y_pred.rank() > 0) return;
  throw ShapeError(name + ": expected y_true and y_pred with a sample axis, received " + y_true.str() + " and " +
                   y_pred.str());
}

std::optional<LastAxis> target_change(const Shape& y_true, const Shape& y_pred) {
  if (shapes_fit(y_true, y_pred)) return LastAxis::keep;
  if (y_pred.back() == 1 && shapes_fit(y_true.concat({1}), y_pred)) return LastAxis::add;
  if (y_true.back() == 1 && shapes_fit(y_true.slice(0, y_true.rank() - 1), y_pred)) return LastAxis::remove;
  return std::nullopt;
}

/// Whether y_true looks like integer labels for an output with a number for every class.
std::optional<LastAxis> label_change(const Shape& y_true, const Shape& y_pred) {
  const Shape positions = y_pred.slice(0, y_pred.rank() - 1);
  if (shapes_fit(y_true, positions)) return LastAxis::keep;
  if (y_true.back() == 1 && shapes_fit(y_true.slice(0, y_true.rank() - 1), positions)) return LastAxis::remove;
  return std::nullopt;
}

/// Data of any number of rows are checked against an output of one batch.
Shape any_samples(const Shape& shape) { return shape.rank() > 0 ? shape.with(0, None) : shape; }

[[noreturn]] void refuse_targets(const std::string& name, const Shape& y_true, const Shape& y_pred, TargetUse use) {
  if (use == TargetUse::one_hot_loss && label_change(any_samples(y_true), any_samples(y_pred))) {
    const std::string classes = y_pred.back() == None ? "classes" : std::to_string(y_pred.back());
    throw ShapeError("You are passing a target array of shape " + y_true.str() + " while using as loss `" + name +
                     "`. That loss expects a number for every class, as the output of shape " + y_pred.str() +
                     " has it: turn integer labels into such rows with ops::one_hot(labels, " + classes +
                     "), or use the loss `sparse_categorical_crossentropy`, which takes labels as they are.");
  }
  const std::string role = use == TargetUse::metric ? "metric" : "loss";
  throw ShapeError("A target array with shape " + y_true.str() + " was passed for an output of shape " + y_pred.str() +
                   " while using as " + role + " `" + name + "`. This " + role +
                   " expects targets to have the same shape as the output.");
}

LastAxis fit_label_shape(const std::string& name, const Shape& y_true, const Shape& y_pred) {
  require_samples(name, y_true, y_pred);
  if (y_pred.rank() < 2 || y_pred.back() == None) {
    throw ShapeError(name + ": expected y_pred of shape (n, ..., classes) with known classes, received " +
                     y_pred.str());
  }
  if (const auto change = label_change(y_true, y_pred)) return *change;
  const Shape positions = y_pred.slice(0, y_pred.rank() - 1);
  throw ShapeError(name + ": expected integer labels of shape " + positions.str() + " or " +
                   positions.concat({1}).str() + " for y_pred " + y_pred.str() + ", received " + y_true.str());
}

Tensor with_last_axis(const Tensor& x, LastAxis change) {
  switch (change) {
    case LastAxis::keep: break;
    case LastAxis::add: return ops::expand_dims(x, -1);
    case LastAxis::remove: return ops::squeeze(x, {-1});
  }
  return x;
}

Tensor cast_to(const Tensor& x, Dtype dtype) { return x.dtype() == dtype ? x : ops::cast(x, dtype); }

}  // namespace

FittedTargets fit_targets(const std::string& name, const Tensor& y_true, const Tensor& y_pred, TargetUse use) {
  require_samples(name, y_true.shape(), y_pred.shape());
  const auto change = target_change(y_true.shape(), y_pred.shape());
  if (!change) refuse_targets(name, y_true.shape(), y_pred.shape(), use);
  const Tensor targets = with_last_axis(cast_to(y_true, y_pred.dtype()), *change);
  if (y_pred.rank() > 1) return {targets, y_pred};
  return {ops::expand_dims(targets, -1), ops::expand_dims(y_pred, -1)};
}

Tensor fit_labels(const std::string& name, const Tensor& y_true, const Tensor& y_pred) {
  const LastAxis change = fit_label_shape(name, y_true.shape(), y_pred.shape());
  return with_last_axis(cast_to(y_true, Dtype::int64), change);
}

void check_target_shape(const std::string& name, const Shape& y_true, const Shape& y_pred, TargetUse use) {
  require_samples(name, y_true, y_pred);
  if (!target_change(any_samples(y_true), any_samples(y_pred))) refuse_targets(name, y_true, y_pred, use);
}

void check_label_shape(const std::string& name, const Shape& y_true, const Shape& y_pred) {
  fit_label_shape(name, any_samples(y_true), any_samples(y_pred));
}

}  // namespace strata
