// SPDX-License-Identifier: Apache-2.0
#include "core/ops/ops.h"
#include "core/training/loss.h"
#include "core/training/targets.h"

namespace strata {
namespace {

class MeanSquaredErrorLoss final : public LossFunction {
 public:
  std::string class_name() const override { return "MeanSquaredError"; }

  Tensor values(const Tensor& y_true, const Tensor& y_pred) const override {
    const auto [targets, outputs] = fit_targets(class_name(), y_true, y_pred);
    return ops::mean(ops::square(targets - outputs), {-1});
  }

  void check_targets(const HostArray& y_true, const TensorSpec& y_pred) const override {
    check_target_shape(class_name(), y_true.spec().shape, y_pred.shape);
  }
};

}  // namespace

Loss losses::MeanSquaredError() { return {std::make_shared<MeanSquaredErrorLoss>()}; }

}  // namespace strata
