// SPDX-License-Identifier: Apache-2.0
#include "core/training/losses/formula.h"

namespace strata {
namespace {

Tensor log_probabilities(const Tensor& y, bool from_logits, int axis) {
  return from_logits ? ops::log_softmax(y, axis) : ops::log(normalized_probabilities(y, axis));
}

Tensor focal(const Tensor& t, const Tensor& y, const losses::CategoricalFocalOptions& options) {
  const Tensor p = normalized_probabilities(options.from_logits ? ops::softmax(y, options.axis) : y, options.axis);
  const Tensor factor = ops::power(1.0 - p, scalar(options.gamma, p.dtype())) * options.alpha;
  return -ops::sum(factor * t * ops::log(p), {options.axis});
}

}  // namespace

namespace losses {

Loss CategoricalCrossentropy(const CrossentropyOptions& options) {
  const std::string class_name = "CategoricalCrossentropy";
  check_label_smoothing(class_name, options.label_smoothing);
  return make_loss({.class_name = class_name,
                    .name = options.name,
                    .reduction = options.reduction,
                    .config = Config::object({{"from_logits", options.from_logits},
                                              {"label_smoothing", options.label_smoothing},
                                              {"axis", options.axis}}),
                    .values =
                        [options, class_name](const Tensor& targets, const Tensor& y) {
                          const Tensor t = smooth_labels(class_name, targets, options.label_smoothing, options.axis);
                          return -ops::sum(t * log_probabilities(y, options.from_logits, options.axis), {options.axis});
                        },
                    .kind = TargetKind::one_hot});
}

Loss CategoricalFocalCrossentropy(const CategoricalFocalOptions& options) {
  const std::string class_name = "CategoricalFocalCrossentropy";
  check_label_smoothing(class_name, options.label_smoothing);
  return make_loss({.class_name = class_name,
                    .name = options.name,
                    .reduction = options.reduction,
                    .config = Config::object({{"from_logits", options.from_logits},
                                              {"label_smoothing", options.label_smoothing},
                                              {"axis", options.axis},
                                              {"alpha", options.alpha},
                                              {"gamma", options.gamma}}),
                    .values =
                        [options, class_name](const Tensor& targets, const Tensor& y) {
                          const Tensor t = smooth_labels(class_name, targets, options.label_smoothing, options.axis);
                          return focal(t, y, options);
                        },
                    .kind = TargetKind::one_hot});
}

}  // namespace losses

void register_categorical_crossentropy(LossTable& table) {
  add_loss(table, "CategoricalCrossentropy", {}, {"from_logits", "label_smoothing", "axis"},
           [](const RuleArguments& a) {
             const auto [reduction, name] = common_options(a);
             return losses::CategoricalCrossentropy({.from_logits = a.flag("from_logits", false),
                                                     .label_smoothing = a.number("label_smoothing", 0.0),
                                                     .axis = static_cast<int>(a.integer("axis", -1)),
                                                     .reduction = reduction,
                                                     .name = name});
           });
  add_loss(table, "CategoricalFocalCrossentropy", {}, {"from_logits", "label_smoothing", "axis", "alpha", "gamma"},
           [](const RuleArguments& a) {
             const auto [reduction, name] = common_options(a);
             return losses::CategoricalFocalCrossentropy({.alpha = a.number("alpha", 0.25),
                                                          .gamma = a.number("gamma", 2.0),
                                                          .from_logits = a.flag("from_logits", false),
                                                          .label_smoothing = a.number("label_smoothing", 0.0),
                                                          .axis = static_cast<int>(a.integer("axis", -1)),
                                                          .reduction = reduction,
                                                          .name = name});
           });
}

}  // namespace strata
