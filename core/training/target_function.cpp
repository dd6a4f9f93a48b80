// SPDX-License-Identifier: Apache-2.0
// Plain functions as losses and metrics.
#include "core/base/error.h"
#include "core/base/registered_name.h"
#include "core/ops/ops.h"
#include "core/training/metric.h"

namespace strata {
namespace {

/// As Keras prepares them: of the dtype of the output, and of its rank where the last axis has size 1.
Tensor fitted(const Tensor& y_true, const Tensor& y_pred) {
  Tensor target = ops::cast(y_true, y_pred.dtype());
  if (target.rank() + 1 == y_pred.rank() && y_pred.shape().back() == 1) return ops::expand_dims(target, -1);
  if (target.rank() == y_pred.rank() + 1 && target.shape().back() == 1) return ops::squeeze(target, {-1});
  return target;
}

Tensor values_of(const TargetFunction& function, const std::string& name, const Tensor& y_true, const Tensor& y_pred) {
  const Tensor values = function(fitted(y_true, y_pred), y_pred);
  if (!values) throw ConfigError(name + ": the function returned an empty Tensor handle");
  return values.rank() == 0 ? ops::broadcast_to(values, {y_pred.shape()[0]}) : values;
}

/// A loss or a metric, under a name that may have a package, "package>name", as files then have it.
template <class Base>
class OfFunction final : public Base {
 public:
  OfFunction(TargetFunction function, std::string name) : function_(std::move(function)), name_(std::move(name)) {}
  std::string class_name() const override { return name_; }
  std::string name() const override { return without_package(name_); }
  Config serialized() const override { return name_; }
  Tensor values(const Tensor& y_true, const Tensor& y_pred) const override {
    return values_of(function_, name_, y_true, y_pred);
  }

 private:
  TargetFunction function_;
  std::string name_;
};

}  // namespace

Loss::Loss(TargetFunction function, const std::string& name)
    : Loss(std::make_shared<const OfFunction<LossFunction>>(std::move(function), name)) {}

Metric::Metric(const TargetFunction& function, const std::string& name)
    : Metric(std::make_shared<const OfFunction<MeanMetric>>(function, name)) {}

}  // namespace strata
