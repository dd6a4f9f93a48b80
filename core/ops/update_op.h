// SPDX-License-Identifier: Apache-2.0
// Internal to the ops that are an optimizer's rule whole.
#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/tensor/node.h"

namespace strata {

/// Inputs: the variable, its gradient and slots, all of one floating spec, then a rate, a scalar of that dtype.
/// Results: the variable, the slots. Their kernels read an element of all inputs before they write it: a result may lie
/// on any.
class UpdateOp : public Op {
 public:
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    const TensorSpec& variable = inputs[0];
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const bool rate = i + 1 == inputs.size();
      const bool fits = inputs[i].dtype == variable.dtype &&
                        (rate ? inputs[i].shape.rank() == 0 : shapes_fit(inputs[i].shape, variable.shape));
      if (is_floating(variable.dtype) && fits) continue;
      throw ShapeError(std::string(name()) + ": expected floating tensors of one spec and a scalar rate, received " +
                       variable.str() + " and " + inputs[i].str());
    }
    return std::vector<TensorSpec>(inputs.size() - 2, variable);
  }
};

}  // namespace strata
