// SPDX-License-Identifier: Apache-2.0
#include "core/ops/fused_elementwise.h"

#include "core/ops/ops.h"

namespace strata {
namespace {

Prepared prepare(const KernelRequest& request) {
  const auto& op = dynamic_cast<const FusedElementwiseOp&>(request.op);
  return make_elementwise_kernel(op.chain(), request.inputs, request.outputs[0].shape);
}

int append(ElementwiseChain& chain, const Tensor& example, const std::vector<int>& operands) {
  const auto& op = dynamic_cast<const ElementwiseOp&>(example.node()->op());
  return append_step(chain, op, std::string(op.name()), operands, example.dtype());
}

/// Outputs relu(a b + c) and a b, with b a row and c a scalar.
std::vector<Tensor> build_example(const std::vector<Tensor>& x) {
  ElementwiseChain chain{3, std::vector<Dtype>(3, x[0].dtype()), {}, {}};
  const int product = append(chain, x[0] * x[1], {0, 1});
  const int sum = append(chain, x[0] + x[2], {product, 2});
  chain.outputs = {append(chain, ops::relu(x[0]), {sum}), product};
  return apply_op(std::make_shared<FusedElementwiseOp>(std::move(chain), x[0].shape()), x);
}

}  // namespace

std::vector<TensorSpec> FusedElementwiseOp::infer(std::span<const TensorSpec>) const {
  std::vector<TensorSpec> specs;
  for (int v : chain_.outputs) specs.push_back({shape_, chain_.dtypes[static_cast<std::size_t>(v)]});
  return specs;
}

std::string FusedElementwiseOp::attributes() const {
  std::string text;
  for (const ElementwiseStep& step : chain_.steps) {
    text += step.name + "(";
    for (std::size_t k = 0; k < step.operands.size() && step.operands[k] >= 0; ++k) {
      text += (k > 0 ? "," : "") + std::to_string(step.operands[k]);
    }
    text += ") ";
  }
  text += "->";
  for (int v : chain_.outputs) text += " " + std::to_string(v);
  return text;
}

void register_fused_elementwise(OpRegistry& registry) {
  const auto input = [](const Shape& shape) { return ExampleInput{{shape, Dtype::float32}}; };
  registry.add({"fused_elementwise",
                {{"reference", "cpu", prepare, true}},
                {{"three steps", {input({70, 33}), input({33}), input({})}, build_example, false}}});
}

}  // namespace strata
