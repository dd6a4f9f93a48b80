// SPDX-License-Identifier: Apache-2.0
#include "core/model/layer.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/model/automatic_name.h"
#include "core/model/carried_mask.h"
#include "core/model/layer_op.h"
#include "core/model/session.h"

namespace strata {
namespace {

/// The layers that this thread is building, from the outermost in: "lstm/lstm_cell".
thread_local std::string build_path;

/// Adds a layer to build_path until the end of the scope. Models do not name the weights of their layers.
class BuildScope {
 public:
  explicit BuildScope(const Layer& layer) : previous_(build_path) {
    if (layer.first_call() == 0) build_path += (build_path.empty() ? "" : "/") + layer.name();
  }
  ~BuildScope() { build_path = std::move(previous_); }
  BuildScope(const BuildScope&) = delete;
  BuildScope& operator=(const BuildScope&) = delete;

 private:
  std::string previous_;
};

}  // namespace

Layer::Layer(LayerOptions options)
    : options_(std::move(options)), policy_(options_.dtype.value_or(Session::current().dtype_policy())) {}

const std::string& Layer::name() const {
  if (name_.empty()) name_ = options_.name;
  if (name_.empty()) name_ = AutomaticNameScope::take(class_name());
  if (name_.empty()) name_ = Session::current().unique_name(to_snake_case(class_name()));
  return name_;
}

Config Layer::get_config() const {
  if (config_refused_) {
    throw ConfigError("Layers with arguments in `__init__` must override `get_config`. Layer " + name() + " of class " +
                      class_name() + " was made with arguments, but does not override config().");
  }
  Config all = Config::object({{"name", name()}, {"trainable", trainable()}, {"dtype", policy_.config()}});
  for (const auto& [key, value] : config().as_object()) all.set(key, value);
  return all;
}

Tensor Layer::call(const Tensor&, CallContext&) {
  throw ConfigError("Layer '" + name() + "': " + class_name() + " must override call or call_many");
}

std::vector<Tensor> Layer::call_many(const std::vector<Tensor>& inputs, CallContext& context) {
  if (inputs.size() != 1) {
    throw ConfigError("Layer " + name() + " expects 1 inputs, but it received " + std::to_string(inputs.size()) +
                      " input tensors. Inputs received: " + tensor_text(inputs));
  }
  return {call(inputs[0], context)};
}

std::vector<Tensor> Layer::compute_mask(const std::vector<Tensor>&, const std::vector<Tensor>& masks, CallContext&) {
  return supports_masking_ ? masks : std::vector<Tensor>{};
}

void Layer::set_trainable(bool trainable) {
  options_.trainable = trainable;
  for (const auto& layer : tracked_) layer->set_trainable(trainable);
}

void Layer::set_learning_rate_factor(double factor) {
  if (!std::isfinite(factor) || factor < 0.0) {
    throw ConfigError("Layer '" + name() + "': expected a finite learning rate factor of at least 0, received " +
                      Config(factor).to_json());
  }
  learning_rate_factor_ = factor;
}

std::vector<Tensor> Layer::run(const std::vector<Tensor>& inputs, CallContext& context) {
  const LayerScope layer_scope(name());
  const CarriedMaskScope mask_scope;
  const std::vector<Tensor> checked = checked_inputs(inputs);
  if (!built_) {
    std::vector<TensorSpec> specs;
    for (const Tensor& input : checked) specs.push_back(input.spec());
    ensure_built(specs);
  }
  const CallScope call_scope(&context);
  const AutocastScope autocast = autocast_scope();
  std::vector<Tensor> outputs = call_many(checked, context);
  context.check_arguments(name());
  if (outputs.empty() || !std::all_of(outputs.begin(), outputs.end(), [](const Tensor& t) { return bool(t); })) {
    throw ConfigError(
        "A layer's `call` method should return a Tensor or a list of Tensors, not None (layer: " + name() + ").");
  }
  add_activity_losses(outputs, context);
  set_output_masks(checked, outputs, context);
  mask_scope.keep(outputs);
  return outputs;
}

// As in Keras, masks that all outputs carry already, from layers within, count before those of compute_mask. An input
// that is passed on belongs to the caller, and its mask does not count.
void Layer::set_output_masks(const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs,
                             CallContext& context) {
  const auto passed_on = [&](const Tensor& output) {
    return std::any_of(inputs.begin(), inputs.end(), [&](const Tensor& input) { return input.same_as(output); });
  };
  std::vector<Tensor> masks;
  for (const Tensor& output : outputs) masks.push_back(passed_on(output) ? Tensor() : carried_mask(output));
  if (!std::all_of(masks.begin(), masks.end(), [](const Tensor& mask) { return bool(mask); })) {
    masks = compute_mask(inputs, context.masks(), context);
    masks.resize(outputs.size());
  }
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    if (!passed_on(outputs[k])) carry_mask(outputs[k], masks[k]);
  }
  context.set_output_masks(std::move(masks));
}

// As in Keras, a weight that was given another dtype than the layer's stays what it is outside of mixed precision.
AutocastScope Layer::autocast_scope() const {
  const bool mixed = compute_dtype() != variable_dtype() || AutocastScope::current() != nullptr;
  const bool casts = mixed && autocast_ && is_floating(compute_dtype());
  return {casts ? std::optional(compute_dtype()) : std::nullopt, &ops::cast};
}

// Keras 3 divides by the batch size, so that the penalty does not depend on it.
void Layer::add_activity_losses(const std::vector<Tensor>& outputs, CallContext& context) const {
  if (!options_.activity_regularizer) return;
  for (const Tensor& output : outputs) {
    const Tensor penalty = options_.activity_regularizer(output);
    const bool batched = output.rank() > 0 && output.shape()[0] > 0;
    context.add_loss(batched ? penalty / static_cast<double>(output.shape()[0]) : penalty);
  }
}

void Layer::build_specs(const std::vector<TensorSpec>& inputs) {
  std::vector<Shape> shapes;
  for (const TensorSpec& input : inputs) shapes.push_back(input.shape);
  build_many(shapes);
}

void Layer::ensure_built(const std::vector<TensorSpec>& inputs) {
  if (built_) return;
  const LayerScope layer_scope(name());
  const CallScope outside(nullptr);
  const BuildScope build_scope(*this);
  const std::size_t weights_before = own_weights_.size(), layers_before = tracked_.size();
  try {
    build_specs(inputs);
  } catch (...) {
    own_rules_.resize(weights_before);
    own_weights_.resize(weights_before);  // so that another try does not add to them
    tracked_.resize(layers_before);
    throw;
  }
  built_ = true;
}

std::vector<Tensor> Layer::checked_inputs(const std::vector<Tensor>& inputs) const {
  if (inputs.empty()) throw ConfigError("Layer " + name() + " expects inputs, but it received none.");
  std::vector<Tensor> checked;
  checked.reserve(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i]) {
      throw ConfigError("Layer " + name() + ": input " + std::to_string(i) + " is an empty Tensor handle");
    }
    if (!input_specs_.empty()) {
      check_input(input_specs_[std::min(i, input_specs_.size() - 1)], inputs[i].spec(), static_cast<int>(i), name());
    }
    const bool cast = autocast_ && is_floating(compute_dtype()) && is_floating(inputs[i].dtype()) &&
                      inputs[i].dtype() != compute_dtype();
    checked.push_back(cast ? ops::cast(inputs[i], compute_dtype()) : inputs[i]);
    if (cast) carry_mask(checked.back(), carried_mask(inputs[i]));
  }
  return checked;
}

std::vector<std::shared_ptr<Node>> Layer::nodes() const {
  std::vector<std::shared_ptr<Node>> result;
  for (const auto& node : nodes_) result.push_back(node.lock());
  return result;
}

std::shared_ptr<Node> Layer::node_of_call(int call) const {
  auto node = nodes_.at(static_cast<std::size_t>(call - first_call())).lock();
  if (node == nullptr) {
    throw ConfigError("The tensors of call " + std::to_string(call) + " of layer " + name() +
                      " no longer exist: neither a model nor a Tensor handle uses them.");
  }
  return node;
}

std::vector<Tensor> Layer::inputs_of_call(int call) const {
  const auto node = node_of_call(call);
  return static_cast<const LayerOp&>(node->op()).arguments(node->inputs()).inputs;
}

std::vector<Tensor> Layer::outputs_of_call(int call) const {
  const auto node = node_of_call(call);
  std::vector<Tensor> outputs;
  for (std::size_t i = 0; i < node->outputs().size(); ++i) outputs.emplace_back(node, static_cast<int>(i));
  return outputs;
}

std::string Layer::unused_weight_name(const std::string& wanted) const {
  const std::string base = wanted.empty() ? "variable" : wanted;
  std::string candidate = base;
  const auto in_use = [&] {
    return std::any_of(own_weights_.begin(), own_weights_.end(),
                       [&](const Variable& weight) { return weight.path() == name() + "/" + candidate; });
  };
  for (int number = 1; in_use(); ++number) candidate = base + "_" + std::to_string(number);
  return candidate;
}

// First values depend on the path of layers being built, so that layers which give the layers within them fixed names
// (every LSTM has an lstm_cell) do not start from numbers that depend on which of them was built first.
Variable Layer::add_weight(const std::string& weight_name, const Shape& shape, const WeightOptions& options) {
  require_open();
  const std::string own_name = unused_weight_name(weight_name);
  const std::string path = name() + "/" + own_name;
  const std::string origin = build_path.empty() ? path : build_path + "/" + own_name;
  const TensorSpec spec{shape, options.dtype.value_or(variable_dtype())};
  if (!shape.is_known()) throw ShapeError("Weight '" + path + "': expected a known shape, received " + shape.str());
  Session& session = Session::current();
  const Tensor state = constant<std::int64_t>({static_cast<std::int64_t>(session.seed()), 0, 0}, {3});
  const Tensor value = options.initializer(shape, spec.dtype, RandomKey{state, session.weight_stream(origin)});
  if (!value || value.spec() != spec) {
    throw ShapeError("Weight '" + path + "': expected an initial value of " + spec.str() + ", received " +
                     (value ? value.spec().str() : "an empty Tensor handle"));
  }
  own_weights_.emplace_back(path, value, options.trainable, options.autocast);
  own_rules_.push_back({own_weights_.back(), options.regularizer, options.constraint, 1.0});
  return own_weights_.back();
}

std::vector<LayerRef> Layer::sublayers() const { return {tracked_.begin(), tracked_.end()}; }

void Layer::require_open() const {
  if (!built_) return;
  throw ConfigError(
      "You cannot add new elements of state (variables or sub-layers) to a layer that is already built. All state must "
      "be created in the `__init__()` method or in the `build()` method. Layer: " +
      name());
}

// A layer that is held twice counts once.
void Layer::add_sublayer(const std::shared_ptr<Layer>& layer) {
  if (layer == nullptr) throw ConfigError("Layer '" + name() + "': track() was given an empty layer handle.");
  require_open();
  if (std::find(tracked_.begin(), tracked_.end(), layer) == tracked_.end()) tracked_.push_back(layer);
}

}  // namespace strata
