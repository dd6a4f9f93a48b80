// SPDX-License-Identifier: Apache-2.0
// Losses: one value a sample position; the engine weighs, sums and divides by the global count.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/config.h"
#include "core/training/host_array.h"

namespace strata {

/// What a user derives from to write a loss. Immutable; thread-safe.
class LossFunction {
 public:
  virtual ~LossFunction() = default;
  /// The Keras class name: "MeanSquaredError".
  virtual std::string class_name() const = 0;
  /// The constructor's arguments under Keras' names.
  virtual Config config() const { return Config::object(); }
  /// One loss a sample position: y_pred (n, ..., d) gives (n, ...). In ops, so differentiable in y_pred. Throws
  /// ShapeError when y_true does not fit.
  virtual Tensor values(const Tensor& y_true, const Tensor& y_pred) const = 0;
  /// Checks all targets before training begins: throws ShapeError when they do not fit, ConfigError naming the first
  /// bad one. `y_pred` is the output's spec; its number of samples does not count.
  virtual void check_targets(const HostArray& /*y_true*/, const TensorSpec& /*y_pred*/) const {}
};

/// A handle on a loss; also made from a Keras name such as "mse" or "sparse_categorical_crossentropy".
class Loss {
 public:
  Loss() = default;
  Loss(std::shared_ptr<const LossFunction> function)  // NOLINT(google-explicit-constructor)
      : function_(std::move(function)) {}
  /// Throws ConfigError "Unknown loss function: x".
  Loss(const char* name) : Loss(std::string(name)) {}  // NOLINT(google-explicit-constructor)
  Loss(const std::string& name);                       // NOLINT(google-explicit-constructor)

  const LossFunction& operator*() const { return *function_; }
  const LossFunction* operator->() const { return function_.get(); }
  explicit operator bool() const { return function_ != nullptr; }

 private:
  std::shared_ptr<const LossFunction> function_;
};

namespace losses {

struct CrossentropyOptions {
  bool from_logits = false;
  double label_smoothing = 0.0;
};
struct SparseCrossentropyOptions {
  bool from_logits = false;
};

/// -log p[label] for integer labels (n, ...) or (n, ..., 1) and y_pred (n, ..., classes). Probabilities are clipped to
/// [1e-7, 1 - 1e-7] after division by their sum, as Keras 3 does (on TensorFlow before it).
Loss SparseCategoricalCrossentropy(const SparseCrossentropyOptions& options = {});
/// -sum_c t[c] log p[c] over the last axis; label smoothing s replaces t by t (1 - s) + s / classes. The gradient in
/// logits is that of this formula, sum(t) softmax - t, as in Keras on JAX and PyTorch; TensorFlow's is softmax - t,
/// which differs for targets that do not sum to 1. Throws ConfigError unless label_smoothing is in [0, 1], here and
/// below.
Loss CategoricalCrossentropy(const CrossentropyOptions& options = {});
/// -(t log p + (1 - t) log(1 - p)), mean over the last axis; label smoothing s replaces t by t (1 - s) + s / 2.
Loss BinaryCrossentropy(const CrossentropyOptions& options = {});
/// (t - y)^2, mean over the last axis.
Loss MeanSquaredError();

}  // namespace losses
}  // namespace strata
