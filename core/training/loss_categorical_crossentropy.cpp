// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/training/crossentropy.h"
#include "core/training/targets.h"

namespace strata {
namespace {

class CategoricalCrossentropyLoss final : public LossFunction {
 public:
  explicit CategoricalCrossentropyLoss(const losses::CrossentropyOptions& options) : options_(options) {
    check_label_smoothing(class_name(), options.label_smoothing);
  }
  std::string class_name() const override { return "CategoricalCrossentropy"; }
  Config config() const override {
    return Config::object({{"from_logits", options_.from_logits}, {"label_smoothing", options_.label_smoothing}});
  }

  Tensor values(const Tensor& y_true, const Tensor& y_pred) const override {
    const auto [targets, outputs] = fit_targets(class_name(), y_true, y_pred);
    const Tensor smoothed = smooth_labels(targets, options_.label_smoothing, static_cast<double>(classes(outputs)));
    return -ops::sum(smoothed * log_probabilities(outputs), {-1});
  }

  void check_targets(const HostArray& y_true, const TensorSpec& y_pred) const override {
    check_target_shape(class_name(), y_true.spec().shape, y_pred.shape);
  }

 private:
  Dim classes(const Tensor& outputs) const {
    const Dim classes = outputs.shape().back();
    if (classes != None || options_.label_smoothing == 0.0) return classes;
    throw ShapeError(class_name() + ": label smoothing expects a known number of classes, received y_pred " +
                     outputs.shape().str());
  }

  Tensor log_probabilities(const Tensor& outputs) const {
    if (options_.from_logits) return ops::log_softmax(outputs, -1);
    return ops::log(clip_probabilities(outputs / ops::sum(outputs, {-1}, true)));
  }

  losses::CrossentropyOptions options_;
};

}  // namespace

Loss losses::CategoricalCrossentropy(const CrossentropyOptions& options) {
  return {std::make_shared<CategoricalCrossentropyLoss>(options)};
}

}  // namespace strata
