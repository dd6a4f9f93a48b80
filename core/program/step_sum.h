// SPDX-License-Identifier: Apache-2.0
// Internal to scan: sums over all steps of what a step computes, from stacked operands: one large product after the
// loop in place of a small one and an addition a step.
#pragma once

#include <functional>
#include <vector>

#include "core/tensor/tensor.h"

namespace strata {

/// What must be stacked to compute the sum of `term` over the steps; empty when it cannot be computed this way. It can
/// for sums of products that contract the batch on axis 0 (of matrices, and the weight gradients of convolutions), of
/// sums over axis 0, and for these under another shape.
std::vector<Tensor> step_sum_operands(const Tensor& term);
/// The sum. `stacked` gives each operand as (steps,) + shape.
Tensor step_sum(const Tensor& term, const std::function<Tensor(const Tensor&)>& stacked);

}  // namespace strata
