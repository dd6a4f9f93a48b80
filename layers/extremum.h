// SPDX-License-Identifier: Apache-2.0
// What Maximum and Minimum have in common.
#pragma once

#include "layers/merge.h"

namespace strata {

/// The largest or smallest of its inputs, element by element.
class ExtremumLayer : public MergeLayer {
 public:
  using Operation = Tensor (*)(const Tensor& a, const Tensor& b);
  ExtremumLayer(Operation operation, const LayerOptions& options) : MergeLayer(options), operation_(operation) {}

 protected:
  /// Where an input is masked, what the others gave so far stands in for it; where those are, the input does.
  Tensor merge(const std::vector<Tensor>& inputs, const std::vector<Tensor>& masks) const override;

 private:
  Operation operation_;
};

}  // namespace strata
