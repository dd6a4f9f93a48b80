// SPDX-License-Identifier: Apache-2.0
// LayerOp: a call of a layer as a node of the graph.
#pragma once

#include "core/model/layer.h"

namespace strata {

/// The tensors of one layer call, and what else its caller said.
struct CallArguments {
  std::vector<Tensor> inputs = {};
  CallOptions options = {};
};

/// What is known of the outputs of a call before it is computed.
struct CallSpecs {
  std::vector<TensorSpec> outputs = {};
  std::vector<std::optional<TensorSpec>> masks = {};  // one per output, empty = no mask
};

/// A symbolic call of a layer, as an op: what makes a tensor part of a graph of layers. The inputs of its node are the
/// layer's inputs, then the masks that the caller gave, then the initial state, then the attention mask.
class LayerOp final : public Op {
 public:
  /// `call` is the number of this call among all calls of the layer, as Keras counts them.
  LayerOp(std::shared_ptr<Layer> layer, int call, CallSpecs specs, const CallOptions& options);
  std::string_view name() const override { return "layer"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec>) const override { return specs_.outputs; }
  bool is_source() const override { return true; }
  const std::shared_ptr<Layer>& layer() const { return layer_; }
  int call() const { return call_; }
  /// The spec of the mask that output `index` comes with.
  const std::optional<TensorSpec>& mask_spec(int index) const { return specs_.masks[static_cast<std::size_t>(index)]; }
  /// Sorts the inputs of the node, or tensors that stand for them.
  CallArguments arguments(const std::vector<Tensor>& node_inputs) const;

 private:
  std::shared_ptr<Layer> layer_;
  int call_;
  CallSpecs specs_;
  CallOptions options_;  // without its tensors
  std::vector<bool> has_mask_;
  std::size_t states_;
  bool has_attention_mask_;
};

/// The layer call that made a symbolic tensor; null for every other tensor.
const LayerOp* layer_op(const Tensor& tensor);
/// `Tensor("dense:0", shape=(None, 64), dtype=float32)`: a tensor as errors name it.
std::string tensor_text(const Tensor& tensor);
std::string tensor_text(const std::vector<Tensor>& tensors);

/// Records a call of `layer` with outputs of these specs and returns them.
std::vector<Tensor> record_call(const std::shared_ptr<Layer>& layer, const CallArguments& arguments, CallSpecs specs);

}  // namespace strata
