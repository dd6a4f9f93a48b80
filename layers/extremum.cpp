// SPDX-License-Identifier: Apache-2.0
#include "layers/extremum.h"

namespace strata {

Tensor ExtremumLayer::merge(const std::vector<Tensor>& inputs, const std::vector<Tensor>& masks) const {
  Tensor result = inputs[0];
  Tensor counts = masks[0];  // where the result counts; empty = everywhere
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    const Tensor next = masks[i] ? ops::select(masks[i], inputs[i], result) : inputs[i];
    if (counts) result = ops::select(counts, result, next);
    counts = counts && masks[i] ? ops::logical_or(counts, masks[i]) : Tensor();
    result = operation_(result, next);
  }
  return result;
}

}  // namespace strata
