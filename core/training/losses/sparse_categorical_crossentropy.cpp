// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/training/losses/formula.h"

namespace strata {
namespace {

/// y[label] of every position.
Tensor chosen(const Tensor& labels, const Tensor& y) {
  return ops::sum(y * ops::one_hot(labels, y.shape().back(), y.dtype()), {-1});
}

/// Picking the label's probability first leaves one division and one logarithm a sample.
Tensor crossentropy(const Tensor& labels, const Tensor& p) {
  return -ops::log(clip_probabilities(chosen(labels, p) / ops::sum(p, {-1})));
}

}  // namespace

namespace losses {

Loss SparseCategoricalCrossentropy(const SparseCrossentropyOptions& options) {
  const Config ignored = options.ignore_class ? Config(*options.ignore_class) : Config();
  return make_loss({.class_name = "SparseCategoricalCrossentropy",
                    .name = options.name,
                    .reduction = options.reduction,
                    .config = Config::object({{"from_logits", options.from_logits}, {"ignore_class", ignored}}),
                    .values =
                        [from_logits = options.from_logits](const Tensor& labels, const Tensor& y) {
                          return from_logits ? ops::sparse_softmax_cross_entropy(y, labels) : crossentropy(labels, y);
                        },
                    .kind = TargetKind::labels,
                    .ignored_label = options.ignore_class});
}

Loss CategoricalGeneralizedCrossEntropy(const GeneralizedCrossEntropyOptions& options) {
  const double q = options.q;
  if (!(q > 0.0 && q < 1.0)) {
    throw ConfigError("q must be in the interval (0, 1). Received: q=" + Config(q).to_json());
  }
  return make_loss({.class_name = "CategoricalGeneralizedCrossEntropy",
                    .name = options.name,
                    .reduction = options.reduction,
                    .config = Config::object({{"q", q}}),
                    .values =
                        [q](const Tensor& labels, const Tensor& p) {
                          const Tensor right = chosen(labels, p);
                          return (1.0 - ops::power(right, scalar(q, right.dtype()))) / q;
                        },
                    .kind = TargetKind::labels});
}

}  // namespace losses

void register_sparse_categorical_crossentropy(LossTable& table) {
  add_loss(table, "SparseCategoricalCrossentropy", {}, {"from_logits", "ignore_class"}, [](const RuleArguments& a) {
    const auto [reduction, name] = common_options(a);
    return losses::SparseCategoricalCrossentropy({.from_logits = a.flag("from_logits", false),
                                                  .ignore_class = a.optional_integer("ignore_class"),
                                                  .reduction = reduction,
                                                  .name = name});
  });
  add_loss(table, "CategoricalGeneralizedCrossEntropy", {}, {"q"}, [](const RuleArguments& a) {
    const auto [reduction, name] = common_options(a);
    return losses::CategoricalGeneralizedCrossEntropy({.q = a.number("q", 0.5), .reduction = reduction, .name = name});
  });
}

}  // namespace strata
