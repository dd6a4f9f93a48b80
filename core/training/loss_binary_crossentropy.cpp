// SPDX-License-Identifier: Apache-2.0
#include "core/training/crossentropy.h"
#include "core/training/targets.h"

namespace strata {
namespace {

class BinaryCrossentropyLoss final : public LossFunction {
 public:
  explicit BinaryCrossentropyLoss(const losses::CrossentropyOptions& options) : options_(options) {
    check_label_smoothing(class_name(), options.label_smoothing);
  }
  std::string class_name() const override { return "BinaryCrossentropy"; }
  Config config() const override {
    return Config::object({{"from_logits", options_.from_logits}, {"label_smoothing", options_.label_smoothing}});
  }

  Tensor values(const Tensor& y_true, const Tensor& y_pred) const override {
    const auto [targets, outputs] = fit_targets(class_name(), y_true, y_pred);
    const Tensor t = smooth_labels(targets, options_.label_smoothing, 2.0);
    if (options_.from_logits) {
      // -log sigmoid(z) = softplus(-z). Both terms are small where they should be, and smooth at z = 0.
      return ops::mean(t * ops::softplus(-outputs) + (1.0 - t) * ops::softplus(outputs), {-1});
    }
    const Tensor p = clip_probabilities(outputs);
    return -ops::mean(t * ops::log(p) + (1.0 - t) * ops::log(1.0 - p), {-1});
  }

  void check_targets(const HostArray& y_true, const TensorSpec& y_pred) const override {
    check_target_shape(class_name(), y_true.spec().shape, y_pred.shape);
  }

 private:
  losses::CrossentropyOptions options_;
};

}  // namespace

Loss losses::BinaryCrossentropy(const CrossentropyOptions& options) {
  return {std::make_shared<BinaryCrossentropyLoss>(options)};
}

}  // namespace strata
