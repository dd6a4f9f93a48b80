// SPDX-License-Identifier: Apache-2.0
#include "core/training/losses/formula.h"

namespace strata {
namespace {

/// -(t log p + (1 - t) log(1 - p)) of every element, p being clipped.
Tensor crossentropy(const Tensor& t, const Tensor& p) {
  const Tensor clipped = clip_probabilities(p);
  return -(t * ops::log(clipped) + (1.0 - t) * ops::log(1.0 - clipped));
}

/// The same of logits. -log sigmoid(z) = softplus(-z): both terms are small where they should be, and smooth at z = 0.
Tensor crossentropy_of_logits(const Tensor& t, const Tensor& z) {
  return t * ops::softplus(-z) + (1.0 - t) * ops::softplus(z);
}

Tensor focal(const Tensor& t, const Tensor& y, const losses::BinaryFocalOptions& options) {
  const Tensor p = options.from_logits ? ops::sigmoid(y) : y;
  const Tensor right = t * p + (1.0 - t) * (1.0 - p);
  const Tensor values = ops::power(1.0 - right, scalar(options.gamma, p.dtype())) * crossentropy(t, p);
  return options.apply_class_balancing ? values * (t * options.alpha + (1.0 - t) * (1.0 - options.alpha)) : values;
}

}  // namespace

namespace losses {

Loss BinaryCrossentropy(const CrossentropyOptions& options) {
  check_label_smoothing("BinaryCrossentropy", options.label_smoothing);
  return make_loss({.class_name = "BinaryCrossentropy",
                    .name = options.name,
                    .reduction = options.reduction,
                    .config = Config::object({{"from_logits", options.from_logits},
                                              {"label_smoothing", options.label_smoothing},
                                              {"axis", options.axis}}),
                    .values = [options](const Tensor& targets, const Tensor& y) {
                      const Tensor t = smooth_labels(targets, options.label_smoothing, 2.0);
                      return ops::mean(options.from_logits ? crossentropy_of_logits(t, y) : crossentropy(t, y),
                                       {options.axis});
                    }});
}

Loss BinaryFocalCrossentropy(const BinaryFocalOptions& options) {
  check_label_smoothing("BinaryFocalCrossentropy", options.label_smoothing);
  return make_loss({.class_name = "BinaryFocalCrossentropy",
                    .name = options.name,
                    .reduction = options.reduction,
                    .config = Config::object({{"from_logits", options.from_logits},
                                              {"label_smoothing", options.label_smoothing},
                                              {"axis", options.axis},
                                              {"apply_class_balancing", options.apply_class_balancing},
                                              {"alpha", options.alpha},
                                              {"gamma", options.gamma}}),
                    .values = [options](const Tensor& targets, const Tensor& y) {
                      const Tensor t = smooth_labels(targets, options.label_smoothing, 2.0);
                      return ops::mean(focal(t, y, options), {options.axis});
                    }});
}

}  // namespace losses

void register_binary_crossentropy(LossTable& table) {
  add_loss(table, "BinaryCrossentropy", {"bce", "BCE"}, {"from_logits", "label_smoothing", "axis"},
           [](const RuleArguments& a) {
             const auto [reduction, name] = common_options(a);
             return losses::BinaryCrossentropy({.from_logits = a.flag("from_logits", false),
                                                .label_smoothing = a.number("label_smoothing", 0.0),
                                                .axis = static_cast<int>(a.integer("axis", -1)),
                                                .reduction = reduction,
                                                .name = name});
           });
  add_loss(table, "BinaryFocalCrossentropy", {},
           {"from_logits", "label_smoothing", "axis", "apply_class_balancing", "alpha", "gamma"},
           [](const RuleArguments& a) {
             const auto [reduction, name] = common_options(a);
             return losses::BinaryFocalCrossentropy({.apply_class_balancing = a.flag("apply_class_balancing", false),
                                                     .alpha = a.number("alpha", 0.25),
                                                     .gamma = a.number("gamma", 2.0),
                                                     .from_logits = a.flag("from_logits", false),
                                                     .label_smoothing = a.number("label_smoothing", 0.0),
                                                     .axis = static_cast<int>(a.integer("axis", -1)),
                                                     .reduction = reduction,
                                                     .name = name});
           });
}

}  // namespace strata
