// SPDX-License-Identifier: Apache-2.0
// Metrics: a value a sample; the engine keeps (sum, count) exactly over blocks, ranks and steps.
#pragma once

#include <memory>
#include <string>

#include "core/base/config.h"
#include "core/tensor/tensor.h"

namespace strata {

/// What a user derives from to write a metric that is a weighted mean. Immutable; thread-safe.
class MetricFunction {
 public:
  virtual ~MetricFunction() = default;
  /// What logs and history call it: "accuracy".
  virtual std::string name() const = 0;
  /// One value a sample position, floating: (n, ...). In ops; not differentiated.
  virtual Tensor values(const Tensor& y_true, const Tensor& y_pred) const = 0;
};

/// A handle on a metric; also made from a Keras name. "accuracy" and "acc" become binary, categorical or sparse
/// accuracy by the shapes of targets and outputs, and keep the name the user gave. The name of a loss gives that loss
/// as a metric.
class Metric {
 public:
  Metric(std::shared_ptr<const MetricFunction> function)  // NOLINT(google-explicit-constructor)
      : function_(std::move(function)) {}
  /// Throws ConfigError "Unknown metric function: x".
  Metric(const char* name) : Metric(std::string(name)) {}  // NOLINT(google-explicit-constructor)
  Metric(const std::string& name);                         // NOLINT(google-explicit-constructor)

  const MetricFunction& operator*() const { return *function_; }
  const MetricFunction* operator->() const { return function_.get(); }

 private:
  std::shared_ptr<const MetricFunction> function_;
};

namespace metrics {

/// 1 where (y_pred > threshold) equals y_true, averaged over the last axis. Throws ConfigError unless
/// 0 < threshold < 1.
Metric BinaryAccuracy(double threshold = 0.5);
/// 1 where the first maxima of y_true and y_pred are at the same place.
Metric CategoricalAccuracy();
/// 1 where the integer label is the place of y_pred's first maximum.
Metric SparseCategoricalAccuracy();

}  // namespace metrics
}  // namespace strata
