// SPDX-License-Identifier: Apache-2.0
// Losses that compare distributions or directions.
#include "core/training/losses/formula.h"

namespace strata {
namespace {

constexpr double kEpsilon = 1e-7;

}  // namespace

namespace losses {

Loss KLDivergence(const LossOptions& options) {
  return make_loss({.class_name = "KLDivergence",
                    .name = options.name.empty() ? "kl_divergence" : options.name,
                    .reduction = options.reduction,
                    .values = [](const Tensor& t, const Tensor& y) {
                      const Tensor p = ops::clip(t, kEpsilon, 1.0);
                      return ops::sum(p * ops::log(p / ops::clip(y, kEpsilon, 1.0)), {-1});
                    }});
}

Loss Poisson(const LossOptions& options) {
  return make_loss(
      {.class_name = "Poisson",
       .name = options.name,
       .reduction = options.reduction,
       .values = [](const Tensor& t, const Tensor& y) { return ops::mean(y - t * ops::log(y + kEpsilon), {-1}); }});
}

Loss CosineSimilarity(const CosineSimilarityOptions& options) {
  const int axis = options.axis;
  return make_loss({.class_name = "CosineSimilarity",
                    .name = options.name,
                    .reduction = options.reduction,
                    .config = Config::object({{"axis", axis}}),
                    .values = [axis](const Tensor& t, const Tensor& y) {
                      return -ops::sum(ops::l2_normalize(t, {axis}) * ops::l2_normalize(y, {axis}), {axis});
                    }});
}

}  // namespace losses

void register_distributions(LossTable& table) {
  add_loss(table, "KLDivergence", {"kl_divergence", "kld", "KLD", "kullback_leibler_divergence"}, losses::KLDivergence);
  add_loss(table, "Poisson", {}, losses::Poisson);
  add_loss(table, "CosineSimilarity", {}, {"axis"}, [](const RuleArguments& a) {
    const auto [reduction, name] = common_options(a);
    return losses::CosineSimilarity(
        {.axis = static_cast<int>(a.integer("axis", -1)), .reduction = reduction, .name = name});
  });
}

}  // namespace strata
