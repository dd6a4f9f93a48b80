// SPDX-License-Identifier: Apache-2.0
// Functional: the graph of layers between chosen inputs and outputs. It is itself a layer.
#pragma once

#include "core/model/layer.h"
#include "core/model/model_graph.h"
#include "core/tensor/arrays.h"

namespace strata {

/// The layers reachable from `outputs` back to `inputs`. Throws GraphError when an output cannot be computed from the
/// inputs, on layer names used twice, on repeated inputs. Layers are shared with every other model on the same tensors.
/// Inputs or outputs given by name are ordered by name, as Keras orders those of a dictionary.
class Functional : public Layer {
 public:
  Functional(const Arrays& inputs, const Arrays& outputs, LayerOptions options = {});

  std::string class_name() const override { return "Model"; }
  /// Runs the graph on new inputs. They are cast to the dtypes of the model's inputs, and must fit their shapes in all
  /// axes but the batch (ShapeError).
  std::vector<Tensor> call_many(const std::vector<Tensor>& inputs, CallContext& context) override;
  /// Those that the run of call_many left in `context`.
  std::vector<Tensor> compute_mask(const std::vector<Tensor>& inputs, const std::vector<Tensor>& masks,
                                   CallContext& context) override;
  void set_trainable(bool trainable) override;
  /// Those of layers() in order, each once.
  std::vector<Variable> weights() const override;
  std::vector<Variable> trainable_weights() const override;
  /// When the model is not trainable: first the weights that would be trained, then the others.
  std::vector<Variable> non_trainable_weights() const override;
  std::vector<LayerRef> sublayers() const override { return layers_; }
  /// {"layers", "input_layers", "output_layers"} as TF 2 writes it.
  Config config() const override;
  /// "name", then config().
  Config get_config() const override;

  /// Call 0 is the model's construction: its own inputs and outputs.
  int first_call() const override { return 1; }
  std::vector<Tensor> inputs_of_call(int call) const override;
  std::vector<Tensor> outputs_of_call(int call) const override;

  const std::vector<Tensor>& inputs() const { return inputs_; }
  const std::vector<Tensor>& outputs() const { return outputs_; }
  /// In Keras' order: by depth, then by first visit from the outputs.
  virtual const std::vector<LayerRef>& layers() const { return layers_; }
  /// In order of execution.
  const std::vector<ModelNode>& model_nodes() const { return nodes_; }
  /// The names that the inputs were given by; of a list those of the input layers.
  std::vector<std::string> input_names() const;
  /// The names that the outputs were given by; of a list those of the layers that make them, where a repeated one gets
  /// "_1", "_2", ... Empty as long as it is not known how many outputs there are.
  virtual std::vector<std::string> output_names() const;
  /// Empty when they were given as a list.
  const std::vector<std::string>& input_keys() const { return input_keys_; }
  const std::vector<std::string>& output_keys() const { return output_keys_; }
  /// Called before the model is trained or run on such data: builds a model that has waited for it.
  virtual void prepare_for(const std::vector<TensorSpec>& inputs) { ensure_built(inputs); }
  /// Throws ConfigError "No such layer: x".
  LayerRef get_layer(const std::string& name) const;
  /// A negative index counts from the end. Throws ConfigError when there is no such layer.
  LayerRef get_layer(int index) const;

 protected:
  /// A model whose graph is set later.
  explicit Functional(LayerOptions options);
  void set_graph(std::vector<Tensor> inputs, std::vector<Tensor> outputs);
  void clear_graph();
  void set_layers(std::vector<LayerRef> layers) { layers_ = std::move(layers); }
  /// For models whose function is no graph: only what goes in and comes out.
  void set_ends(std::vector<Tensor> inputs, std::vector<Tensor> outputs);

 private:
  Tensor conformed(const Tensor& input, std::size_t index) const;

  std::vector<Tensor> inputs_;
  std::vector<Tensor> outputs_;
  std::vector<std::string> input_keys_;
  std::vector<std::string> output_keys_;
  std::vector<LayerRef> layers_;
  std::vector<ModelNode> nodes_;
};

}  // namespace strata
