// SPDX-License-Identifier: Apache-2.0
#include "core/model/functional.h"

#include <map>
#include <set>
#include <unordered_map>

#include "core/base/error.h"
#include "core/model/variable_set.h"

namespace strata {
namespace {

/// The weights that `of` gives for each layer, each variable once.
template <class F>
std::vector<Variable> gather(const std::vector<LayerRef>& layers, const F& of) {
  std::vector<Variable> all;
  VariableSet seen;
  for (const LayerRef& layer : layers) {
    for (const Variable& weight : of(layer.layer())) {
      if (seen.insert(weight).second) all.push_back(weight);
    }
  }
  return all;
}

/// The value and the mask of every tensor of a model, in one run of it.
class Run {
 public:
  void add(const Node* node, std::vector<Tensor> values, std::vector<Tensor> masks) {
    results_[node] = {std::move(values), std::move(masks)};
  }
  std::vector<Tensor> values(const std::vector<Tensor>& symbols) const { return all(symbols, &Results::values); }
  /// One per tensor, empty handles for none.
  std::vector<Tensor> masks(const std::vector<Tensor>& symbols) const { return all(symbols, &Results::masks); }

 private:
  struct Results {
    std::vector<Tensor> values;
    std::vector<Tensor> masks;
  };

  std::vector<Tensor> all(const std::vector<Tensor>& symbols, std::vector<Tensor> Results::*of) const {
    std::vector<Tensor> tensors;
    for (const Tensor& symbol : symbols) {
      tensors.push_back((results_.at(symbol.node().get()).*of).at(static_cast<std::size_t>(symbol.index())));
    }
    return tensors;
  }

  std::unordered_map<const Node*, Results> results_;
};

}  // namespace

Functional::Functional(LayerOptions options) : Layer(std::move(options)) { set_autocast(false); }

Functional::Functional(const Arrays& inputs, const Arrays& outputs, LayerOptions options)
    : Functional(std::move(options)) {
  const Arrays from = inputs.sorted(), to = outputs.sorted();
  set_graph(from.tensors(), to.tensors());
  input_keys_ = from.names();
  output_keys_ = to.names();
  if (!trainable()) Functional::set_trainable(false);
}

void Functional::set_graph(std::vector<Tensor> inputs, std::vector<Tensor> outputs) {
  ModelGraph graph = walk_graph(inputs, outputs);
  inputs_ = std::move(inputs);
  outputs_ = std::move(outputs);
  layers_ = std::move(graph.layers);
  nodes_ = std::move(graph.nodes);
  set_built();
}

void Functional::set_ends(std::vector<Tensor> inputs, std::vector<Tensor> outputs) {
  inputs_ = std::move(inputs);
  outputs_ = std::move(outputs);
  set_built();
}

void Functional::clear_graph() {
  inputs_.clear();
  outputs_.clear();
  layers_.clear();
  nodes_.clear();
  set_built(false);
}

Tensor Functional::conformed(const Tensor& input, std::size_t index) const {
  const TensorSpec& expected = inputs_[index].spec();
  const Shape& shape = input.shape();
  const bool fits = shape.rank() == expected.shape.rank() &&
                    shapes_fit(shape.slice(1, shape.rank()), expected.shape.slice(1, shape.rank()));
  if (!fits) {
    throw ShapeError("Input " + std::to_string(index) + " is incompatible with layer " + name() +
                     ": expected shape=" + expected.shape.str() + ", found shape=" + list_text(shape));
  }
  return input.dtype() == expected.dtype ? input : ops::cast(input, expected.dtype);
}

std::vector<Tensor> Functional::call_many(const std::vector<Tensor>& inputs, CallContext& context) {
  if (inputs.size() != inputs_.size()) {
    throw ConfigError("Layer " + name() + " expects " + std::to_string(inputs_.size()) + " inputs, but it received " +
                      std::to_string(inputs.size()) + " input tensors. Inputs received: " + tensor_text(inputs));
  }
  Run run;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    run.add(inputs_[i].node().get(), {conformed(inputs[i], i)}, {context.mask(i)});
  }
  for (const ModelNode& call : nodes_) {
    if (call.node->inputs().empty()) continue;
    const CallArguments symbols = call.op().arguments(call.node->inputs());
    const CallArguments arguments = call.op().arguments(run.values(call.node->inputs()));
    CallContext nested = context.nested(call.layer.name(), arguments.options);
    nested.set_input_masks(run.masks(symbols.inputs));
    std::vector<Tensor> results = call.layer.layer().run(arguments.inputs, nested);
    run.add(call.node.get(), std::move(results), nested.output_masks());
  }
  context.set_output_masks(run.masks(outputs_));
  return run.values(outputs_);
}

std::vector<Tensor> Functional::compute_mask(const std::vector<Tensor>&, const std::vector<Tensor>&,
                                             CallContext& context) {
  return context.output_masks();
}

void Functional::set_trainable(bool trainable) {
  Layer::set_trainable(trainable);
  for (const LayerRef& layer : layers_) layer.set_trainable(trainable);
}

std::vector<Variable> Functional::weights() const {
  return gather(layers_, [](const Layer& layer) { return layer.weights(); });
}

std::vector<Variable> Functional::trainable_weights() const {
  if (!trainable()) return {};
  return gather(layers_, [](const Layer& layer) { return layer.trainable_weights(); });
}

std::vector<Variable> Functional::non_trainable_weights() const {
  std::vector<Variable> others = gather(layers_, [](const Layer& layer) { return layer.non_trainable_weights(); });
  if (trainable()) return others;
  std::vector<Variable> all = gather(layers_, [](const Layer& layer) { return layer.trainable_weights(); });
  all.insert(all.end(), others.begin(), others.end());
  return all;
}

std::vector<Tensor> Functional::inputs_of_call(int call) const {
  return call == 0 ? inputs_ : Layer::inputs_of_call(call);
}

std::vector<Tensor> Functional::outputs_of_call(int call) const {
  return call == 0 ? outputs_ : Layer::outputs_of_call(call);
}

std::vector<std::string> Functional::input_names() const {
  if (!input_keys_.empty()) return input_keys_;
  std::vector<std::string> names;
  for (const Tensor& input : inputs_) names.push_back(layer_op(input)->layer()->name());
  return names;
}

std::vector<std::string> Functional::output_names() const {
  if (!output_keys_.empty()) return output_keys_;
  std::vector<std::string> names;
  std::set<std::string> used;
  std::map<std::string, int> repeats;
  for (const Tensor& output : outputs_) {
    const std::string& layer = layer_op(output)->layer()->name();
    std::string proposal = layer;
    while (!used.insert(proposal).second) proposal = layer + "_" + std::to_string(++repeats[layer]);
    names.push_back(proposal);
  }
  return names;
}

LayerRef Functional::get_layer(const std::string& layer_name) const {
  if (layer_name.empty()) throw ConfigError("Provide either a layer name or layer index.");
  for (const LayerRef& layer : layers()) {
    if (layer.name() == layer_name) return layer;
  }
  throw ConfigError("No such layer: " + layer_name);
}

LayerRef Functional::get_layer(int index) const {
  const int count = static_cast<int>(layers().size());
  if (index < -count || index >= count) {
    throw ConfigError("Was asked to retrieve layer at index " + std::to_string(index) + " but model only has " +
                      std::to_string(count) + " layers.");
  }
  return layers()[static_cast<std::size_t>(index < 0 ? index + count : index)];
}

}  // namespace strata
