// SPDX-License-Identifier: Apache-2.0
// Internal to losses and metrics: how targets are brought to the shape of an output, by Keras' rules.
#pragma once

#include <string>

#include "core/tensor/tensor.h"

namespace strata {

/// Targets and an output of one shape (n, ..., d) and one dtype, the output's.
struct FittedTargets {
  Tensor y_true;
  Tensor y_pred;
};

/// What targets are for, which errors tell.
enum class TargetUse {
  metric,
  loss,
  one_hot_loss,  // one that takes a number for every class, where some expect integer labels
};

/// Casts y_true to y_pred's dtype. y_true may lack a last axis of size 1, or have one too many; an output (n,) counts
/// as (n, 1). Throws ShapeError, with Keras' text, when the shapes differ otherwise.
FittedTargets fit_targets(const std::string& name, const Tensor& y_true, const Tensor& y_pred,
                          TargetUse use = TargetUse::metric);

/// int64 labels (n, ...) from labels (n, ...) or (n, ..., 1) of any dtype, for y_pred (n, ..., classes). Throws
/// ShapeError, beginning with `name`, for other shapes, and when the number of classes is not known.
Tensor fit_labels(const std::string& name, const Tensor& y_true, const Tensor& y_pred);

/// Throw the errors of the functions above; sample axes are not compared.
void check_target_shape(const std::string& name, const Shape& y_true, const Shape& y_pred, TargetUse use);
void check_label_shape(const std::string& name, const Shape& y_true, const Shape& y_pred);

}  // namespace strata
