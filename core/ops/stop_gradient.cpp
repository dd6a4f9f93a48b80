// SPDX-License-Identifier: Apache-2.0
#include "core/ops/ops.h"
#include "core/ops/registry.h"

namespace strata {
namespace {

class StopGradientOp final : public Op {
 public:
  std::string_view name() const override { return "stop_gradient"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override { return {inputs[0]}; }
  bool is_view() const override { return true; }
};

}  // namespace

Tensor ops::stop_gradient(const Tensor& x) { return apply_one(std::make_shared<StopGradientOp>(), {x}); }

void register_stop_gradient(OpRegistry& registry) {
  const auto build = [](const std::vector<Tensor>& x) { return std::vector<Tensor>{ops::stop_gradient(x[0])}; };
  registry.add({"stop_gradient", {}, {{"matrix", {{{{3, 4}}}}, build, false}}});
}

}  // namespace strata
