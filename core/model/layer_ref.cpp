// SPDX-License-Identifier: Apache-2.0
// How layers are called: symbolically, eagerly, or as part of the call of another layer.
#include <algorithm>

#include "core/base/error.h"
#include "core/model/carried_mask.h"
#include "core/model/layer_op.h"
#include "core/model/session.h"

namespace strata {
namespace {

/// All tensors of a call in the order in which they become inputs of its node.
std::vector<Tensor> node_inputs(const CallArguments& arguments) {
  std::vector<Tensor> all = arguments.inputs;
  for (const Tensor& mask : arguments.options.mask) {
    if (mask) all.push_back(mask);
  }
  all.insert(all.end(), arguments.options.initial_state.begin(), arguments.options.initial_state.end());
  if (arguments.options.attention_mask) all.push_back(arguments.options.attention_mask);
  return all;
}

/// Where a symbolic tensor comes from: "dense:0".
std::string source_text(const Tensor& tensor) {
  const Op& op = tensor.node()->op();
  const LayerOp* call = layer_op(tensor);
  if (call == nullptr && dynamic_cast<const PlaceholderOp*>(&op) != nullptr && !op.attributes().empty()) {
    return op.attributes();
  }
  return (call != nullptr ? call->layer()->name() : std::string(op.name())) + ":" + std::to_string(tensor.index());
}

/// An empty handle stays one. Errors name the tensor that the placeholder stands for.
std::vector<Tensor> placeholders_like(const std::vector<Tensor>& tensors) {
  std::vector<Tensor> stand_ins;
  for (const Tensor& tensor : tensors) {
    stand_ins.push_back(tensor ? placeholder(tensor.spec(), source_text(tensor)) : Tensor());
  }
  return stand_ins;
}

/// The masks that symbolic inputs come with, as placeholders.
std::vector<Tensor> masks_like(const std::vector<Tensor>& inputs) {
  std::vector<Tensor> masks;
  for (const Tensor& input : inputs) {
    const std::optional<TensorSpec>& spec = layer_op(input)->mask_spec(input.index());
    masks.push_back(spec ? placeholder(*spec) : Tensor());
  }
  return masks;
}

/// The masks that other inputs come with.
std::vector<Tensor> carried_masks(const std::vector<Tensor>& inputs) {
  std::vector<Tensor> masks;
  for (const Tensor& input : inputs) masks.push_back(carried_mask(input));
  return masks;
}

/// What a call gives, by tracing the layer on fresh placeholders; what the trace leaves behind is thrown away.
CallSpecs inferred_specs(Layer& layer, const CallArguments& arguments) {
  CallOptions options = arguments.options;
  options.mask = placeholders_like(options.mask);
  options.initial_state = placeholders_like(options.initial_state);
  options.attention_mask = placeholders_like({options.attention_mask})[0];
  Trace trace{.training = options.training.value_or(false), .random_state = placeholder({Shape{3}, Dtype::int64})};
  CallContext context(trace, layer.name(), trace.training, options);
  const CarriedMaskScope mask_scope;
  const std::vector<Tensor> inputs = placeholders_like(arguments.inputs), masks = masks_like(arguments.inputs);
  for (std::size_t i = 0; i < inputs.size(); ++i) carry_mask(inputs[i], masks[i]);
  context.set_input_masks(masks);
  CallSpecs specs;
  for (const Tensor& output : layer.run(inputs, context)) {
    specs.outputs.push_back(output.spec());
  }
  for (const Tensor& mask : context.output_masks()) {
    specs.masks.push_back(mask ? std::optional(mask.spec()) : std::nullopt);
  }
  return specs;
}

std::vector<Tensor> symbolic_call(const std::shared_ptr<Layer>& layer, const CallArguments& arguments) {
  const std::vector<Tensor> tensors = node_inputs(arguments);
  for (const Tensor& tensor : tensors) {
    if (layer_op(tensor) == nullptr) {
      throw GraphError("Layer " + layer->name() +
                       " was called on symbolic tensors, all of which must come from Input or " +
                       "from a layer. Received: " + tensor_text(tensors) + ". Ops between layers belong into a layer.");
    }
  }
  return record_call(layer, arguments, inferred_specs(*layer, arguments));
}

std::vector<Tensor> eager_call(Layer& layer, const std::vector<Tensor>& inputs, const CallOptions& options) {
  Session& session = Session::current();
  Trace trace{
      .training = options.training.value_or(false),
      .random_state = constant<std::int64_t>({static_cast<std::int64_t>(session.seed()), session.next_draw(), 0}, {3})};
  CallContext context(trace, layer.name(), trace.training, options);
  context.set_input_masks(carried_masks(inputs));
  std::vector<Tensor> outputs = layer.run(inputs, context);
  std::vector<Tensor> losses;
  for (const AddedLoss& loss : trace.losses) losses.push_back(loss.value);
  layer.set_added_losses(std::move(losses));
  if (trace.updates.empty()) return outputs;
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
  return "Tensor(\"" + source_text(tensor) + "\", shape=" + tensor.shape().str() +
         ", dtype=" + std::string(to_string(tensor.dtype())) + ")";
}

std::string tensor_text(const std::vector<Tensor>& tensors) {
  std::string text = "[";
  for (std::size_t i = 0; i < tensors.size(); ++i) text += (i > 0 ? ", " : "") + tensor_text(tensors[i]);
  return text + "]";
}

LayerOp::LayerOp(std::shared_ptr<Layer> layer, int call, CallSpecs specs, const CallOptions& options)
    : layer_(std::move(layer)),
      call_(call),
      specs_(std::move(specs)),
      options_(options),
      states_(options.initial_state.size()),
      has_attention_mask_(options.attention_mask) {
  options_.mask.clear();
  options_.initial_state.clear();
  options_.attention_mask = {};
  for (const Tensor& mask : options.mask) has_mask_.push_back(bool(mask));
}

CallArguments LayerOp::arguments(const std::vector<Tensor>& node_inputs) const {
  const auto masks = std::count(has_mask_.begin(), has_mask_.end(), true);
  const auto last_state = node_inputs.end() - (has_attention_mask_ ? 1 : 0);
  const auto first_state = last_state - static_cast<std::ptrdiff_t>(states_);
  auto next_mask = first_state - masks;
  CallArguments arguments{.inputs = {node_inputs.begin(), next_mask}, .options = options_};
  for (const bool given : has_mask_) arguments.options.mask.push_back(given ? *next_mask++ : Tensor());
  arguments.options.initial_state.assign(first_state, last_state);
  if (has_attention_mask_) arguments.options.attention_mask = *last_state;
  return arguments;
}

std::vector<Tensor> record_call(const std::shared_ptr<Layer>& layer, const CallArguments& arguments, CallSpecs specs) {
  const LayerScope scope(layer->name());
  const auto op = std::make_shared<LayerOp>(layer, layer->call_count(), std::move(specs), arguments.options);
  std::vector<Tensor> result = apply_op(op, node_inputs(arguments));
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
    context.set_input_masks(carried_masks(inputs));
    return layer_->run(inputs, context);
  }
  const CallArguments arguments{inputs, options};
  const std::vector<Tensor> tensors = node_inputs(arguments);
  const bool symbolic = std::any_of(tensors.begin(), tensors.end(), [](const Tensor& t) { return t.is_symbolic(); });
  return symbolic ? symbolic_call(layer_, arguments) : eager_call(*layer_, inputs, options);
}

std::vector<Tensor> LayerRef::call_expecting(std::size_t count, const std::vector<Tensor>& inputs,
                                             const CallOptions& options) const {
  std::vector<Tensor> outputs = call(inputs, options);
  if (outputs.size() == count) return outputs;
  throw ConfigError("Layer " + name() + " has " + std::to_string(outputs.size()) + " outputs where " +
                    std::to_string(count) + " were expected.");
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
