// SPDX-License-Identifier: Apache-2.0
// Functional: the graph of layers between chosen inputs and outputs. It is itself a layer.
#pragma once

#include <functional>

#include "core/model/layer.h"

namespace strata {

/// One layer call inside a model.
struct ModelNode {
  std::shared_ptr<Node> node;
  LayerRef layer;
  int call = 0;   // how many calls of this layer in this model come before it
  int depth = 0;  // longest way to an output
};

/// The layers reachable from `outputs` back to `inputs`. Throws GraphError when an output cannot be computed from the
/// inputs, on a cycle, on layer names used twice, on repeated inputs.
class Functional : public Layer {
 public:
  Functional(std::vector<Tensor> inputs, std::vector<Tensor> outputs, LayerOptions options = {});

  std::string class_name() const override { return "Model"; }
  std::vector<Tensor> call_many(const std::vector<Tensor>& inputs, CallContext& context) override;
  void set_trainable(bool trainable) override;
  std::vector<Variable> weights() const override;
  std::vector<Variable> trainable_weights() const override;
  std::vector<Variable> non_trainable_weights() const override;
  /// {"name", "layers", "input_layers", "output_layers"} as TF 2 writes it.
  Config config() const override;

  const std::vector<Tensor>& inputs() const { return inputs_; }
  const std::vector<Tensor>& outputs() const { return outputs_; }
  /// In Keras' order: by depth, then by first visit from the outputs.
  const std::vector<LayerRef>& layers() const { return layers_; }
  /// In order of execution.
  const std::vector<ModelNode>& model_nodes() const { return nodes_; }
  std::vector<std::string> input_names() const;
  std::vector<std::string> output_names() const;
  LayerRef get_layer(const std::string& name) const;
  LayerRef get_layer(int index) const;

 private:
  std::vector<Tensor> inputs_;
  std::vector<Tensor> outputs_;
  std::vector<LayerRef> layers_;
  std::vector<ModelNode> nodes_;
};

/// Keras' table of a model's layers, shapes and parameters, in the format of TF 2.0; every line ends with '\n'.
/// `class_name` is what the rows of nested models show.
std::string summary_text(const Functional& model);

}  // namespace strata
