// SPDX-License-Identifier: Apache-2.0
// The walk over a graph of layers: which layer calls lie between inputs and outputs, in Keras' order.
#pragma once

#include <memory>
#include <vector>

#include "core/model/layer_op.h"

namespace strata {

/// One layer call inside a model.
struct ModelNode {
  std::shared_ptr<Node> node;
  LayerRef layer;
  int call = 0;   // its number among the calls of this layer in this model; a nested model's first is 1, as in Keras
  int depth = 0;  // longest way to an output

  const LayerOp& op() const { return static_cast<const LayerOp&>(node->op()); }
};

struct ModelGraph {
  std::vector<LayerRef> layers;  // by depth, inputs first; within a depth by first visit from the outputs
  std::vector<ModelNode> nodes;  // in order of execution, inputs first
};

/// Iterative, so that depth is limited by memory only. Throws GraphError when an output cannot be computed from the
/// inputs, when names are used twice, when inputs are repeated or do not come from Input.
ModelGraph walk_graph(const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs);

}  // namespace strata
