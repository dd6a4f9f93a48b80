// SPDX-License-Identifier: Apache-2.0
// Metrics: what a batch adds to a state, and what the state means. States are sums, so they add exactly over blocks,
// ranks and steps.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/config.h"
#include "core/training/loss.h"

namespace strata {

/// What a metric sees of a batch.
struct MetricInputs {
  Tensor y_true;
  Tensor y_pred;
  Tensor sample_weight = {};  // one weight a sample or a position; empty = all 1
  Tensor mask = {};           // bool, of the model's output; empty = all count
};

/// What a user derives from to write a metric of any kind. Immutable; thread-safe.
class MetricFunction {
 public:
  virtual ~MetricFunction() = default;
  /// What logs and history call it: "accuracy".
  virtual std::string name() const = 0;
  /// The Keras class name: "MeanMetricWrapper" unless it has its own.
  virtual std::string class_name() const { return "MeanMetricWrapper"; }
  /// The constructor's arguments under Keras' names, without the name.
  virtual Config config() const { return Config::object(); }
  /// Whether a larger value is better, for callbacks that watch it; empty when nothing is known.
  virtual std::optional<bool> larger_is_better() const { return {}; }
  /// What the batch adds to the state: float64, one axis, its size a function of the inputs' specs but for their number
  /// of samples. In ops; not differentiated.
  virtual Tensor update(const MetricInputs& inputs) const = 0;
  /// The value of a state. Allocates nothing. Throws ConfigError when the metric has several values: see results().
  virtual double result(std::span<const double> state) const = 0;
  /// All values, such as one a class; by default the only one.
  virtual std::vector<double> results(std::span<const double> state) const { return {result(state)}; }
  /// What Keras' metric.get_config() returns: name, then config().
  Config get_config() const;
  /// What files hold, and from_config reads: {"class_name", "config"}; the name alone of a metric without a class, as
  /// of "accuracy", which shapes decide about, and of a plain function.
  virtual Config serialized() const;
};

/// A metric that is a weighted mean of one value a sample position: all that a user need write is values() and name().
/// State: (sum of weighted values, sum of weights).
class MeanMetric : public MetricFunction {
 public:
  /// One value a sample position, floating: (n, ...). In ops; not differentiated.
  virtual Tensor values(const Tensor& y_true, const Tensor& y_pred) const = 0;
  Tensor update(const MetricInputs& inputs) const override;
  double result(std::span<const double> state) const override { return state[1] == 0.0 ? 0.0 : state[0] / state[1]; }
};

/// A handle on a metric; also made from a Keras name, or from a loss. "accuracy" and "acc" become binary, categorical
/// or sparse accuracy by the shapes of targets and outputs, "crossentropy" and "ce" likewise, and keep the name the
/// user gave.
///
/// A handle also counts on its own, in a training loop of one's own: update_state() adds a batch, result() tells.
/// Copies count together; models that were compiled with it keep counts of their own. Not thread-safe.
class Metric {
 public:
  Metric(std::shared_ptr<const MetricFunction> function);  // NOLINT(google-explicit-constructor)
  /// A class or function name of Keras, or one that register_custom_object made known. Throws ConfigError "Unknown
  /// metric function:x".
  Metric(const char* name) : Metric(std::string(name)) {}  // NOLINT(google-explicit-constructor)
  Metric(const std::string& name);                         // NOLINT(google-explicit-constructor)
  /// The mean of a plain function's values, under this name, which files hold: see Loss.
  Metric(const TargetFunction& function, const std::string& name);
  /// The mean of a loss's values, under the loss's name.
  Metric(const Loss& loss);  // NOLINT(google-explicit-constructor)
  /// Reads a name or {"class_name", "config"}.
  static Metric from_config(const Config& config);

  void update_state(const Tensor& y_true, const Tensor& y_pred, const Tensor& sample_weight = {},
                    const Tensor& mask = {});
  /// Throws ConfigError when the metric has several values.
  double result() const;
  std::vector<double> results() const;
  void reset_state();

  const MetricFunction& operator*() const { return *function_; }
  const MetricFunction* operator->() const { return function_.get(); }
  const std::shared_ptr<const MetricFunction>& function() const { return function_; }

 private:
  std::shared_ptr<const MetricFunction> function_;
  std::shared_ptr<std::vector<double>> state_;  // empty before the first update
};

namespace metrics {

/// The values of `loss` as a metric under a name of its own.
Metric MeanOf(const Loss& loss, const std::string& name);

/// 1 where y_true equals y_pred.
Metric Accuracy(const std::string& name = "accuracy");
/// 1 where (y_pred > threshold) equals y_true, averaged over the last axis. Throws ConfigError unless
/// 0 < threshold < 1.
Metric BinaryAccuracy(double threshold = 0.5, const std::string& name = "binary_accuracy");
/// 1 where the first maxima of y_true and y_pred are at the same place.
Metric CategoricalAccuracy(const std::string& name = "categorical_accuracy");
/// 1 where the integer label is the place of y_pred's first maximum.
Metric SparseCategoricalAccuracy(const std::string& name = "sparse_categorical_accuracy");
/// 1 where fewer than k classes have a larger output than the right one. Throws ConfigError unless k >= 1.
Metric TopKCategoricalAccuracy(int k = 5, const std::string& name = "top_k_categorical_accuracy");
Metric SparseTopKCategoricalAccuracy(int k = 5, const std::string& name = "sparse_top_k_categorical_accuracy");

/// What counts as predicted, for the counts below: outputs above a threshold.
struct ThresholdOptions {
  std::vector<double> thresholds = {};  // in [0, 1]; empty = 0.5, or any output with top_k; several give several values
  std::optional<int> top_k = {};        // only the k largest outputs of a sample count as predicted
  std::optional<int> class_id = {};     // only this class of the last axis
  std::string name = {};
};
/// The weight of samples that are predicted and true; likewise the other three. top_k and class_id do not apply.
Metric TruePositives(const ThresholdOptions& options = {});
Metric FalsePositives(const ThresholdOptions& options = {});
Metric TrueNegatives(const ThresholdOptions& options = {});
Metric FalseNegatives(const ThresholdOptions& options = {});
/// tp / (tp + fp); 0 when nothing is predicted. Throws ConfigError for thresholds outside [0, 1].
Metric Precision(const ThresholdOptions& options = {});
/// tp / (tp + fn); 0 when nothing is true.
Metric Recall(const ThresholdOptions& options = {});

struct AtThresholdOptions {
  int num_thresholds = 200;
  std::optional<int> class_id = {};
  std::string name = {};
};
/// The best sensitivity (= recall) at a threshold where the specificity is at least the given one, and so on. Throws
/// ConfigError unless the value is in [0, 1] and num_thresholds > 0.
Metric SensitivityAtSpecificity(double specificity, const AtThresholdOptions& options = {});
Metric SpecificityAtSensitivity(double sensitivity, const AtThresholdOptions& options = {});
Metric PrecisionAtRecall(double recall, const AtThresholdOptions& options = {});
Metric RecallAtPrecision(double precision, const AtThresholdOptions& options = {});

struct AUCOptions {
  int num_thresholds = 200;
  std::string curve = "ROC";                       // or "PR", "PRGAIN"
  std::string summation_method = "interpolation";  // or "minoring", "majoring"
  std::string name = "auc";
  std::vector<double> thresholds = {};  // replaces num_thresholds: 0 and 1 are added
  bool multi_label = false;             // the mean over the columns of (n, labels)
  std::vector<double> label_weights = {};
  bool from_logits = false;
};
/// The area under the curve of (false positive rate, recall), or (recall, precision), by Riemann sums over thresholds
/// (interpolated for PR as Davis and Goadrich 2006). Throws ConfigError for other curves and methods.
Metric AUC(const AUCOptions& options = {});

struct FBetaOptions {
  std::string average = {};  // "" = one value a class; "micro", "macro", "weighted"
  double beta = 1.0;
  std::optional<double> threshold = {};  // empty = the largest output of a sample is predicted
  std::string name = {};
};
/// (1 + b^2) precision recall / (b^2 precision + recall), of y_true and y_pred (n, classes). Throws ConfigError for
/// other averages, beta <= 0, thresholds outside (0, 1].
Metric FBetaScore(const FBetaOptions& options = {});
Metric F1Score(const FBetaOptions& options = {});

struct IoUOptions {
  std::optional<std::int64_t> ignore_class = {};
  bool sparse_y_true = true;  // integer labels; else one-hot or probabilities, whose maximum counts
  bool sparse_y_pred = true;
  int axis = -1;  // of the classes where not sparse
  std::string name = {};
};
/// The mean over classes of tp / (tp + fp + fn); classes that do not occur do not count. Labels out of range are
/// ignored. (Keras counts in integers unless told otherwise, and so drops the fractions of weights.) Throws ConfigError
/// for a target class that is not one of 0 ... num_classes - 1.
Metric MeanIoU(int num_classes, const IoUOptions& options = {});
Metric IoU(int num_classes, const std::vector<int>& target_class_ids, const IoUOptions& options = {});
/// Of predictions of at least the threshold, classes 0 and 1.
Metric BinaryIoU(const std::vector<int>& target_class_ids = {0, 1}, double threshold = 0.5,
                 const std::string& name = "binary_io_u");
/// The same with one-hot y_true, and one-hot y_pred unless sparse_y_pred.
struct OneHotIoUOptions {
  std::optional<std::int64_t> ignore_class = {};
  bool sparse_y_pred = false;
  int axis = -1;
  std::string name = {};
};
Metric OneHotIoU(int num_classes, const std::vector<int>& target_class_ids, const OneHotIoUOptions& options = {});
Metric OneHotMeanIoU(int num_classes, const OneHotIoUOptions& options = {});

/// sqrt of the mean squared error.
Metric RootMeanSquaredError(const std::string& name = "root_mean_squared_error");
struct R2ScoreOptions {
  std::string class_aggregation = "uniform_average";  // or "variance_weighted_average", "" = one value a column
  int num_regressors = 0;                             // > 0: the adjusted score
  std::string name = "r2_score";
};
/// 1 - sum (t - y)^2 / sum (t - mean t)^2 of y_true and y_pred (n, d).
Metric R2Score(const R2ScoreOptions& options = {});
/// sum over the axis of the product of y_true and y_pred, both of length 1 there.
Metric CosineSimilarity(int axis = -1, const std::string& name = "cosine_similarity");

// Losses as metrics, under Keras' names.
Metric MeanSquaredError(const std::string& name = "mean_squared_error");
Metric MeanAbsoluteError(const std::string& name = "mean_absolute_error");
Metric MeanAbsolutePercentageError(const std::string& name = "mean_absolute_percentage_error");
Metric MeanSquaredLogarithmicError(const std::string& name = "mean_squared_logarithmic_error");
Metric LogCoshError(const std::string& name = "logcosh");
Metric Hinge(const std::string& name = "hinge");
Metric SquaredHinge(const std::string& name = "squared_hinge");
Metric CategoricalHinge(const std::string& name = "categorical_hinge");
Metric KLDivergence(const std::string& name = "kl_divergence");
Metric Poisson(const std::string& name = "poisson");
Metric BinaryCrossentropy(const losses::CrossentropyOptions& options = {});
Metric CategoricalCrossentropy(const losses::CrossentropyOptions& options = {});
Metric SparseCategoricalCrossentropy(const losses::SparseCrossentropyOptions& options = {});

/// The weighted mean of the values given to it: for training loops of one's own. Not thread-safe.
class Mean {
 public:
  void update_state(const Tensor& values, const Tensor& sample_weight = {});
  double result() const { return count_ == 0.0 ? 0.0 : total_ / count_; }
  void reset_state() { total_ = count_ = 0.0; }

 private:
  double total_ = 0.0;
  double count_ = 0.0;
};

/// The weighted sum of the values given to it.
class Sum {
 public:
  void update_state(const Tensor& values, const Tensor& sample_weight = {});
  double result() const { return total_; }
  void reset_state() { total_ = 0.0; }

 private:
  double total_ = 0.0;
};

}  // namespace metrics
}  // namespace strata
