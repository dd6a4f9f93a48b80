// SPDX-License-Identifier: Apache-2.0
// Internal to compilation: the op that copies.
#pragma once

#include "core/tensor/node.h"

namespace strata {

class CopyOp final : public Op {
 public:
  std::string_view name() const override { return "copy"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override { return {inputs[0]}; }
  std::vector<Gradient> gradient(const GradientArgs& args) const override;
};

}  // namespace strata
