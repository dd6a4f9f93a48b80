// SPDX-License-Identifier: Apache-2.0
#include "core/program/step_sum.h"

#include <algorithm>

#include "core/ops/convolution_op.h"
#include "core/ops/matmul.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

bool is_addition(const Tensor& term) { return term.node()->op().name() == "add"; }

/// A product that sums over axis 0 of both operands.
bool contracts_batch(const Tensor& term) {
  const Op& op = term.node()->op();
  if (dynamic_cast<const ConvolutionBackwardWeightsOp*>(&op) != nullptr) return true;
  const auto* product = dynamic_cast<const MatMulOp*>(&op);
  return product != nullptr && product->transpose_a() && !product->transpose_b() && !product->epilogue() &&
         term.rank() == 2 && term.node()->inputs()[0].rank() == 2 && term.node()->inputs()[1].rank() == 2;
}

bool sums_over_batch(const Tensor& term) {
  const Op& op = term.node()->op();
  if (op.name() != "sum") return false;
  const Tensor sum = ops::sum(term.node()->inputs()[0], {0});
  return op.attributes() == sum.node()->op().attributes();
}

/// Steps and batch as one axis, so that a product over the batch becomes one over both.
Tensor fold_steps(const Tensor& stacked) {
  return ops::reshape(stacked, Shape{None}.concat(stacked.shape().slice(2, stacked.rank())));
}

bool foldable(const Tensor& operand) {
  return operand.rank() > 0 && operand.shape().slice(1, operand.rank()).is_known();
}

}  // namespace

std::vector<Tensor> step_sum_operands(const Tensor& term) {
  const std::vector<Tensor>& inputs = term.node()->inputs();
  if (contracts_batch(term) || sums_over_batch(term)) {
    return std::all_of(inputs.begin(), inputs.end(), foldable) ? inputs : std::vector<Tensor>{};
  }
  if (term.node()->op().is_view() && term.shape().is_known()) return step_sum_operands(inputs[0]);
  if (!is_addition(term) || inputs[0].shape() != inputs[1].shape()) return {};
  std::vector<Tensor> operands = step_sum_operands(inputs[0]);
  const std::vector<Tensor> more = step_sum_operands(inputs[1]);
  if (operands.empty() || more.empty()) return {};
  operands.insert(operands.end(), more.begin(), more.end());
  return operands;
}

Tensor step_sum(const Tensor& term, const std::function<Tensor(const Tensor&)>& stacked) {
  const std::vector<Tensor>& inputs = term.node()->inputs();
  if (is_addition(term)) return step_sum(inputs[0], stacked) + step_sum(inputs[1], stacked);
  if (term.node()->op().is_view()) return ops::reshape(step_sum(inputs[0], stacked), term.shape());
  std::vector<Tensor> folded;
  for (const Tensor& input : inputs) folded.push_back(fold_steps(stacked(input)));
  return apply_one(term.node()->shared_op(), std::move(folded));
}

}  // namespace strata
