// SPDX-License-Identifier: Apache-2.0
#include "core/model/sequential.h"

#include "core/base/error.h"
#include "core/model/input_layer.h"

namespace strata {

SequentialEntry::SequentialEntry(const Tensor& input) : input_(input) {
  const LayerOp* op = layer_op(input);
  if (op == nullptr || dynamic_cast<const InputLayer*>(op->layer().get()) == nullptr) {
    throw ConfigError("Sequential: expected layers, or the tensor of an Input. Received: " + tensor_text(input));
  }
  layer_ = LayerRef(op->layer());
}

SequentialGraph::SequentialGraph(const std::vector<SequentialEntry>& entries, LayerOptions options)
    : Functional(std::move(options)) {
  for (const SequentialEntry& entry : entries) append(entry);
  rebuild_graph();
  if (!trainable()) set_trainable(false);
}

void SequentialGraph::add(const SequentialEntry& entry) {
  append(entry);
  rebuild_graph();
}

void SequentialGraph::append(const SequentialEntry& entry) {
  if (entry.input()) {
    if (!chain_.empty() || !tensors_.empty()) {
      throw ConfigError("Sequential: an Input must come first. Received: " + tensor_text(entry.input()));
    }
    tensors_ = {entry.input()};
    return;
  }
  if (!entry.layer()) throw ConfigError("Sequential: an entry is an empty layer handle.");
  for (const LayerRef& layer : chain_) {
    if (layer.name() != entry.layer().name()) continue;
    throw ConfigError(
        "All layers added to a Sequential model should have unique names. Name \"" + layer.name() +
        "\" is already the name of a layer in this model. Update the `name` argument to pass a unique name.");
  }
  if (!tensors_.empty()) extend(entry.layer());
  chain_.push_back(entry.layer());
}

void SequentialGraph::extend(const LayerRef& layer) {
  const std::vector<Tensor> outputs = layer.call({tensors_.back()});
  if (outputs.size() != 1) {
    throw ConfigError(
        "All layers in a Sequential model should have a single output tensor. For multi-output layers, use "
        "the functional API.");
  }
  tensors_.push_back(outputs[0]);
}

void SequentialGraph::pop() {
  if (chain_.empty()) throw ConfigError("There are no layers in the model.");
  chain_.pop_back();
  if (!tensors_.empty()) tensors_.pop_back();
  rebuild_graph();
}

void SequentialGraph::build_specs(const std::vector<TensorSpec>& inputs) {
  if (chain_.empty()) throw ConfigError("Sequential model " + name() + " has no layers.");
  if (inputs.size() != 1) {
    throw ConfigError("Layer " + name() + " expects 1 inputs, but it received " + std::to_string(inputs.size()) +
                      " input tensors.");
  }
  tensors_ = {make_input(inputs[0].shape.with(0, None), inputs[0].dtype, chain_[0].name() + "_input")};
  for (const LayerRef& layer : chain_) extend(layer);
  rebuild_graph();
}

/// Keras does not count the InputLayer among the layers of a Sequential.
void SequentialGraph::rebuild_graph() {
  if (tensors_.size() > 1) set_graph({tensors_.front()}, {tensors_.back()});
  else clear_graph();
  set_layers(chain_);
}

void SequentialGraph::check_built() const {
  if (built()) return;
  throw ConfigError("Weights for model " + name() +
                    " have not yet been created. Weights are created when the Model is " +
                    "first called on inputs or `build()` is called with an `input_shape`.");
}

std::vector<Variable> SequentialGraph::weights() const {
  check_built();
  return Functional::weights();
}

std::vector<Variable> SequentialGraph::trainable_weights() const {
  check_built();
  return Functional::trainable_weights();
}

std::vector<Variable> SequentialGraph::non_trainable_weights() const {
  check_built();
  return Functional::non_trainable_weights();
}

std::vector<std::string> SequentialGraph::output_names() const {
  if (chain_.empty()) return {};
  return {chain_.back().name()};
}

Config SequentialGraph::config() const {
  Config::List entries;
  const auto add_entry = [&](const Layer& layer) {
    entries.push_back(Config::object({{"class_name", layer.class_name()}, {"config", layer.get_config()}}));
  };
  if (!tensors_.empty()) add_entry(*layer_op(tensors_.front())->layer());
  for (const LayerRef& layer : chain_) add_entry(layer.layer());
  return Config::object({{"layers", std::move(entries)}});
}

}  // namespace strata
