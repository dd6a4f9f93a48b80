// SPDX-License-Identifier: Apache-2.0
// Losses: one value a sample position; the engine weighs, sums and divides by a denominator of the whole batch.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/base/config.h"
#include "core/training/host_array.h"

namespace strata {

/// How the values of a batch become one number, as in Keras. Weighted values are summed, then divided by
enum class Reduction {
  sum_over_batch_size,      // the number of values; with a mask, of those that count
  mean,                     // the same
  sum,                      // nothing
  mean_with_sample_weight,  // the sum of the weights
};
/// "sum_over_batch_size", ...
std::string_view to_string(Reduction reduction);
/// Throws ConfigError with Keras' text, "Invalid value for argument `reduction`. Expected one of ...".
Reduction reduction_from_string(std::string_view name);

/// What a user derives from to write a loss. Immutable; thread-safe.
class LossFunction {
 public:
  virtual ~LossFunction() = default;
  /// The Keras class name: "MeanSquaredError".
  virtual std::string class_name() const = 0;
  /// What logs call it: by default the class name in snake case, "mean_squared_error".
  virtual std::string name() const;
  virtual Reduction reduction() const { return Reduction::sum_over_batch_size; }
  /// The constructor's arguments under Keras' names, without name and reduction.
  virtual Config config() const { return Config::object(); }
  /// One loss a sample position: y_pred (n, ..., d) gives (n, ...). In ops, so differentiable in y_pred. Throws
  /// ShapeError when y_true does not fit.
  virtual Tensor values(const Tensor& y_true, const Tensor& y_pred) const = 0;
  /// Which values count, bool, of the shape of values(); empty = all.
  virtual Tensor mask(const Tensor& /*y_true*/, const Tensor& /*y_pred*/) const { return {}; }
  /// Checks all targets before training begins: throws ShapeError when they do not fit, ConfigError naming the first
  /// bad one. `y_pred` is the output's spec; its number of samples does not count.
  virtual void check_targets(const HostArray& /*y_true*/, const TensorSpec& /*y_pred*/) const {}
  /// What Keras' loss.get_config() returns: name, reduction, then config().
  Config get_config() const;
  /// What files hold, and from_config reads: {"class_name", "config"}; of a plain function its name.
  virtual Config serialized() const;
};

class Loss;

/// A plain function of y_true and y_pred, as Keras takes it for a loss or a metric: in ops, one value a sample
/// position, or a scalar that counts for every sample of its block. y_true has the dtype of y_pred, and lacks or has a
/// last axis of size 1 as y_pred does.
using TargetFunction = std::function<Tensor(const Tensor& y_true, const Tensor& y_pred)>;
template <class F>
concept IsTargetFunction =
    !std::derived_from<std::remove_cvref_t<F>, Loss> && std::is_invocable_r_v<Tensor, F&, const Tensor&, const Tensor&>;

/// A handle on a loss; also made from a Keras name such as "mse" or "sparse_categorical_crossentropy".
class Loss {
 public:
  Loss() = default;
  Loss(std::shared_ptr<const LossFunction> function)  // NOLINT(google-explicit-constructor)
      : function_(std::move(function)) {}
  /// A class or function name of Keras, or one that register_custom_object made known. Throws ConfigError "Unknown loss
  /// function:x".
  Loss(const char* name) : Loss(std::string(name)) {}  // NOLINT(google-explicit-constructor)
  Loss(const std::string& name);                       // NOLINT(google-explicit-constructor)
  /// A plain function. Files hold its name, as Keras' do: who reads them must know a function of that name, by
  /// register_custom_object or custom_objects, or leave compiling out. One without a name is "custom_loss".
  Loss(TargetFunction function, const std::string& name);
  template <IsTargetFunction F>
  Loss(F&& function)  // NOLINT(google-explicit-constructor, bugprone-forwarding-reference-overload)
      : Loss(TargetFunction(std::forward<F>(function)), "custom_loss") {}
  /// Reads a name or {"class_name", "config"}; null = no loss. Throws ConfigError for unknown classes and arguments.
  static Loss from_config(const Config& config);

  /// The reduced loss of a batch, a scalar. `sample_weight`: one weight a sample or a value; `mask`: bool, one a value;
  /// either may be missing. Throws ShapeError when they do not fit the values.
  Tensor operator()(const Tensor& y_true, const Tensor& y_pred, const Tensor& sample_weight = {},
                    const Tensor& mask = {}) const;

  const LossFunction& operator*() const { return *function_; }
  const LossFunction* operator->() const { return function_.get(); }
  explicit operator bool() const { return function_ != nullptr; }

 private:
  std::shared_ptr<const LossFunction> function_;
};

namespace losses {

/// Options that every loss takes. An empty name is the loss's own.
struct LossOptions {
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = {};
};
struct CrossentropyOptions {
  bool from_logits = false;
  double label_smoothing = 0.0;
  int axis = -1;  // of the classes; of binary cross-entropy: the axis that is averaged
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = {};
};
struct SparseCrossentropyOptions {
  bool from_logits = false;
  std::optional<std::int64_t> ignore_class = {};  // positions with this label do not count
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = {};
};
struct BinaryFocalOptions {
  bool apply_class_balancing = false;
  double alpha = 0.25;
  double gamma = 2.0;
  bool from_logits = false;
  double label_smoothing = 0.0;
  int axis = -1;
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = {};
};
struct CategoricalFocalOptions {
  double alpha = 0.25;
  double gamma = 2.0;
  bool from_logits = false;
  double label_smoothing = 0.0;
  int axis = -1;
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = {};
};
struct HuberOptions {
  double delta = 1.0;
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = {};
};
struct CosineSimilarityOptions {
  int axis = -1;
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = {};
};
struct GeneralizedCrossEntropyOptions {
  double q = 0.5;
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = {};
};

// Formulas are those of Keras 3; t = y_true, y = y_pred, means and sums over the last axis. Targets are cast to the
// dtype of the outputs; they may lack a last axis of size 1, or have one too many.

/// -log p[label] for integer labels (n, ...) or (n, ..., 1) and y_pred (n, ..., classes). Probabilities are clipped to
/// [1e-7, 1 - 1e-7] after division by their sum, as Keras 3 does (on TensorFlow before it).
Loss SparseCategoricalCrossentropy(const SparseCrossentropyOptions& options = {});
/// -sum_c t[c] log p[c] over the class axis; label smoothing s replaces t by t (1 - s) + s / classes. The gradient in
/// logits is that of this formula, sum(t) softmax - t, as in Keras on JAX and PyTorch; TensorFlow's is softmax - t,
/// which differs for targets that do not sum to 1. Throws ConfigError unless label_smoothing is in [0, 1], here and
/// below.
Loss CategoricalCrossentropy(const CrossentropyOptions& options = {});
/// -(t log p + (1 - t) log(1 - p)), mean over the axis; label smoothing s replaces t by t (1 - s) + s / 2.
Loss BinaryCrossentropy(const CrossentropyOptions& options = {});
/// (1 - p_t)^gamma times the binary cross-entropy, p_t = t p + (1 - t)(1 - p); class balancing multiplies by alpha for
/// t = 1 and 1 - alpha for t = 0 (Lin et al. 2017). Mean over the axis.
Loss BinaryFocalCrossentropy(const BinaryFocalOptions& options = {});
/// -sum_c alpha (1 - p[c])^gamma t[c] log p[c] over the class axis.
Loss CategoricalFocalCrossentropy(const CategoricalFocalOptions& options = {});
/// (1 - p[label]^q) / q for integer labels (Zhang and Sabuncu 2018). Throws ConfigError unless 0 < q < 1.
Loss CategoricalGeneralizedCrossEntropy(const GeneralizedCrossEntropyOptions& options = {});

/// mean (t - y)^2.
Loss MeanSquaredError(const LossOptions& options = {});
/// mean |t - y|.
Loss MeanAbsoluteError(const LossOptions& options = {});
/// 100 mean |(t - y) / max(|t|, 1e-7)|.
Loss MeanAbsolutePercentageError(const LossOptions& options = {});
/// mean (log(max(t, 1e-7) + 1) - log(max(y, 1e-7) + 1))^2.
Loss MeanSquaredLogarithmicError(const LossOptions& options = {});
/// With e = |y - t|: mean of e^2 / 2 up to delta, delta e - delta^2 / 2 beyond.
Loss Huber(const HuberOptions& options = {});
/// mean log cosh(y - t).
Loss LogCosh(const LossOptions& options = {});

// Labels are -1 and 1; a label of 0 counts as -1. (Keras changes labels only where all of a batch are 0 or 1, which is
// the same for such targets; others are refused.)
/// mean max(1 - t y, 0).
Loss Hinge(const LossOptions& options = {});
/// mean max(1 - t y, 0)^2.
Loss SquaredHinge(const LossOptions& options = {});
/// max(1 + max((1 - t) y) - sum(t y), 0), labels 0 and 1.
Loss CategoricalHinge(const LossOptions& options = {});

/// sum t log(t / y), both clipped to [1e-7, 1].
Loss KLDivergence(const LossOptions& options = {});
/// mean (y - t log(y + 1e-7)).
Loss Poisson(const LossOptions& options = {});
/// -sum over the axis of the product of t and y, both of length 1 there.
Loss CosineSimilarity(const CosineSimilarityOptions& options = {});

/// Connectionist temporal classification (Graves et al. 2006): -log of the probability that logits (n, time, classes)
/// spell the integer labels (n, length), class 0 being the blank and label 0 padding at the end. Infinite when a
/// sequence is too short for its labels.
Loss CTC(const LossOptions& options = {});

}  // namespace losses
}  // namespace strata
