// SPDX-License-Identifier: Apache-2.0
// How layers are called: symbolically, eagerly, or as part of the call of another layer.
#include <algorithm>

#include "core/base/error.h"
#include "core/model/layer.h"
#include "core/model/session.h"

namespace strata {
namespace {

/// Output specs, by tracing the layer on fresh placeholders; what the trace leaves behind is thrown away.
std::vector<TensorSpec> inferred_outputs(Layer& layer, const std::vector<Tensor>& inputs, const CallOptions& options) {
  std::vector<Tensor> stand_ins;
  for (const Tensor& input : inputs) stand_ins.push_back(placeholder(input.spec()));
  const bool training = options.training.value_or(false);
  Trace trace{training, placeholder({Shape{3}, Dtype::int64}), {}, {}};
  CallContext context(trace, layer.name(), training);
  std::vector<TensorSpec> specs;
  for (const Tensor& output : layer.run(stand_ins, context)) specs.push_back(output.spec());
  return specs;
}

std::vector<Tensor> symbolic_call(const std::shared_ptr<Layer>& layer, const std::vector<Tensor>& inputs,
                                  const CallOptions& options) {
  for (const Tensor& input : inputs) {
    if (layer_op(input) == nullptr) {
      throw GraphError("Layer " + layer->name() +
                       " was called on symbolic tensors, all of which must come from Input or " +
                       "from a layer. Received: " + tensor_text(inputs) + ". Ops between layers belong into a layer.");
    }
  }
  return record_call(layer, inputs, inferred_outputs(*layer, inputs, options), options);
}

std::vector<Tensor> eager_call(Layer& layer, const std::vector<Tensor>& inputs, const CallOptions& options) {
  Session& session = Session::current();
  const bool training = options.training.value_or(false);
  Trace trace{training,
              constant<std::int64_t>({static_cast<std::int64_t>(session.seed()), session.next_draw(), 0}, {3}), {}, {}};
  CallContext context(trace, layer.name(), training);
  std::vector<Tensor> outputs = layer.run(inputs, context);
  if (!training || trace.updates.empty()) return outputs;
  // Outputs and updates mean the state before this call, so they are computed before any of it changes.
  for (const Tensor& output : outputs) output.eval();
  for (const StateUpdate& update : trace.updates) update.value.eval();
  for (const StateUpdate& update : trace.updates) update.variable.assign(update.value);
  return outputs;
}

Tensor only(const std::vector<Tensor>& tensors, const LayerRef& layer, const char* what) {
  if (tensors.size() == 1) return tensors[0];
  throw ConfigError("Layer " + layer.name() + " has " + std::to_string(tensors.size()) + " " + what +
                    "s where one was expected. Use the function that returns a list.");
}

Shape only_shape(const std::vector<Shape>& shapes, const LayerRef& layer, const char* what) {
  if (shapes.size() == 1) return shapes[0];
  throw ConfigError("Layer " + layer.name() + " has " + std::to_string(shapes.size()) + " " + what + "s. Use " + what +
                    "_shapes().");
}

void check_call(const LayerRef& layer, int call, const std::string& what) {
  const int count = layer.layer().call_count();
  if (count == 0) throw ConfigError("The layer has never been called and thus has no defined " + what + ".");
  if (call < 0 || call >= count) {
    throw ConfigError("Asked to get " + what + " at node " + std::to_string(call) + ", but the layer has only " +
                      std::to_string(count) + " inbound nodes.");
  }
}

std::vector<Shape> shapes_of(const std::vector<Tensor>& tensors) {
  std::vector<Shape> shapes;
  for (const Tensor& tensor : tensors) shapes.push_back(tensor.shape());
  return shapes;
}

/// The shapes of each call that still exists: calls that nothing uses no longer count.
std::vector<std::vector<Shape>> shapes_of_calls(const Layer& layer, bool inputs) {
  std::vector<std::vector<Shape>> shapes;
  const auto nodes = layer.nodes();
  for (int call = 0; call < layer.call_count(); ++call) {
    const int index = call - layer.first_call();
    if (index >= 0 && nodes[static_cast<std::size_t>(index)] == nullptr) continue;
    shapes.push_back(shapes_of(inputs ? layer.inputs_of_call(call) : layer.outputs_of_call(call)));
  }
  return shapes;
}

}  // namespace

const LayerOp* layer_op(const Tensor& tensor) {
  return tensor ? dynamic_cast<const LayerOp*>(&tensor.node()->op()) : nullptr;
}

std::string tensor_text(const Tensor& tensor) {
  if (!tensor) return "None";
  const LayerOp* op = layer_op(tensor);
  const std::string maker = op != nullptr ? op->layer()->name() : std::string(tensor.node()->op().name());
  return "Tensor(\"" + maker + ":" + std::to_string(tensor.index()) + "\", shape=" + tensor.shape().str() +
         ", dtype=" + std::string(to_string(tensor.dtype())) + ")";
}

std::string tensor_text(const std::vector<Tensor>& tensors) {
  std::string text = "[";
  for (std::size_t i = 0; i < tensors.size(); ++i) text += (i > 0 ? ", " : "") + tensor_text(tensors[i]);
  return text + "]";
}

std::vector<Tensor> record_call(const std::shared_ptr<Layer>& layer, const std::vector<Tensor>& inputs,
                                std::vector<TensorSpec> outputs, const CallOptions& options) {
  const LayerScope scope(layer->name());
  const auto op = std::make_shared<LayerOp>(layer, layer->call_count(), std::move(outputs), options);
  std::vector<Tensor> result = apply_op(op, inputs);
  layer->add_node(result.at(0).node());
  return result;
}

LayerRef::LayerRef(std::shared_ptr<Layer> layer) : layer_(std::move(layer)) {
  if (layer_ != nullptr) layer_->name();
}

std::vector<Tensor> LayerRef::call(const std::vector<Tensor>& inputs, const CallOptions& options) const {
  if (layer_ == nullptr) throw ConfigError("An empty layer handle was called.");
  if (CallContext* outer = CallContext::current()) {
    CallContext context = outer->nested(name(), options);
    return layer_->run(inputs, context);
  }
  const bool symbolic = std::any_of(inputs.begin(), inputs.end(), [](const Tensor& t) { return t.is_symbolic(); });
  return symbolic ? symbolic_call(layer_, inputs, options) : eager_call(*layer_, inputs, options);
}

Tensor LayerRef::operator()(const Tensor& input, const CallOptions& options) const {
  return only(call({input}, options), *this, "output");
}

Tensor LayerRef::operator()(const std::vector<Tensor>& inputs, const CallOptions& options) const {
  return only(call(inputs, options), *this, "output");
}

Tensor LayerRef::input() const {
  if (layer_->call_count() == 0) throw ConfigError("Layer " + name() + " is not connected, no input to return.");
  return get_input_at(0);
}

Tensor LayerRef::output() const {
  if (layer_->call_count() == 0) throw ConfigError("Layer " + name() + " has no inbound nodes.");
  return get_output_at(0);
}

Tensor LayerRef::get_input_at(int node) const { return only(get_inputs_at(node), *this, "input"); }
Tensor LayerRef::get_output_at(int node) const { return only(get_outputs_at(node), *this, "output"); }

std::vector<Tensor> LayerRef::get_inputs_at(int node) const {
  check_call(*this, node, "input");
  return layer_->inputs_of_call(node);
}

std::vector<Tensor> LayerRef::get_outputs_at(int node) const {
  check_call(*this, node, "output");
  return layer_->outputs_of_call(node);
}

std::vector<Shape> LayerRef::output_shapes() const {
  const auto shapes = shapes_of_calls(*layer_, false);
  if (shapes.empty()) throw ConfigError("The layer has never been called and thus has no defined output shape.");
  if (std::adjacent_find(shapes.begin(), shapes.end(), std::not_equal_to<>()) == shapes.end()) return shapes[0];
  throw ConfigError(
      "The layer \"" + name() + "\" has multiple inbound nodes, with different output shapes. Hence the " +
      "notion of \"output shape\" is ill-defined for the layer. Use `get_output_at(node).shape()` instead.");
}

std::vector<Shape> LayerRef::input_shapes() const {
  const auto shapes = shapes_of_calls(*layer_, true);
  if (shapes.empty()) throw ConfigError("The layer has never been called and thus has no defined input shape.");
  if (std::adjacent_find(shapes.begin(), shapes.end(), std::not_equal_to<>()) == shapes.end()) return shapes[0];
  throw ConfigError(
      "The layer \"" + name() + "\" has multiple inbound nodes, with different input shapes. Hence the " +
      "notion of \"input shape\" is ill-defined for the layer. Use `get_input_at(node).shape()` instead.");
}

Shape LayerRef::output_shape() const { return only_shape(output_shapes(), *this, "output"); }
Shape LayerRef::input_shape() const { return only_shape(input_shapes(), *this, "input"); }

}  // namespace strata
