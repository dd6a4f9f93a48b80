// SPDX-License-Identifier: Apache-2.0
// Reverse-mode differentiation on the graph of tensors. Gradients are themselves tensors made of public ops.
#pragma once

#include <vector>

#include "core/tensor/node.h"

namespace strata {

/// d(sum of all elements of `targets`)/d(sources[i]). `seeds` (one a target, of its shape; empty = ones) replace the
/// ones. A source on which no target depends gets an empty Gradient. A gradient by rows stays by rows only when every
/// contribution to that source is one. Throws ShapeError when a seed does not fit, DtypeError for a target that is not
/// floating.
std::vector<Gradient> gradients(const std::vector<Tensor>& targets, const std::vector<Tensor>& sources,
                                const std::vector<Tensor>& seeds = {});

/// A gradient as a dense tensor of `like`'s shape; zeros when it is empty.
Tensor dense(const Gradient& gradient, const Tensor& like);

}  // namespace strata
