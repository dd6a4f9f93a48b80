// SPDX-License-Identifier: Apache-2.0
// Internal to compilation: a chain of elementwise steps as one op.
#pragma once

#include "core/ops/elementwise_kernel.h"

namespace strata {

/// A chain as an op: what the fusion pass replaces a group of elementwise nodes with.
class FusedElementwiseOp final : public Op {
 public:
  FusedElementwiseOp(ElementwiseChain chain, Shape shape) : chain_(std::move(chain)), shape_(std::move(shape)) {}
  std::string_view name() const override { return "fused_elementwise"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  /// "mul(0,1) add(2,1) -> 3".
  std::string attributes() const override;
  const ElementwiseChain& chain() const { return chain_; }

 private:
  ElementwiseChain chain_;
  Shape shape_;
};

}  // namespace strata
