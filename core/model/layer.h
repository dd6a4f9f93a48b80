// SPDX-License-Identifier: Apache-2.0
// Layer: build / call / config. What a user derives from to write a layer, and the handle that layers are used through.
#pragma once

#include <array>
#include <concepts>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/base/config.h"
#include "core/model/call_context.h"
#include "core/model/constraint.h"
#include "core/model/dtype_policy.h"
#include "core/model/initializer.h"
#include "core/model/input_spec.h"
#include "core/model/regularizer.h"
#include "core/tensor/variable.h"

namespace strata {

class LayerRef;

/// Options that every layer takes.
struct LayerOptions {
  std::string name = {};  // "" = Keras' automatic name
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};  // of arithmetic and weights; empty = the session's dtype_policy()
  Regularizer activity_regularizer = {};  // a penalty on each output, divided by the batch size
};

/// Options of Layer::add_weight.
struct WeightOptions {
  Initializer initializer = "glorot_uniform";
  bool trainable = true;
  std::optional<Dtype> dtype = {};  // empty = the layer's variable_dtype()
  Regularizer regularizer = {};
  Constraint constraint = {};
  bool autocast = true;  // whether the layer's call reads it in compute_dtype()
};

/// What training does with one weight besides following its gradient.
struct WeightRule {
  Variable variable = {};
  Regularizer regularizer = {};
  Constraint constraint = {};
  double learning_rate_factor = 1.0;
};

/// A variable under a name that is unique within a model.
struct NamedVariable {
  std::string name = {};
  Variable variable = {};
};

/// Base class of layers. Derive, override build and call (or build_many and call_many for several inputs), and use it
/// through make_layer<MyLayer>(...). Held by shared_ptr; not copyable. Not thread-safe while being defined or built;
/// afterwards calls from several threads are safe.
///
/// Layers held as members are made part of a layer with track(), and called in call() like any others:
///     LayerRef dense_ = track(layers::Dense(32));
///     Tensor call(const Tensor& input, CallContext&) override { return dense_(input); }
class Layer {
 public:
  explicit Layer(LayerOptions options = {});
  virtual ~Layer() = default;
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  /// The Keras class name: "Dense". Also the base of the automatic name.
  virtual std::string class_name() const = 0;
  /// The constructor's arguments under Keras' names, without name, trainable and dtype.
  virtual Config config() const { return Config::object(); }
  /// The names of the arguments when Keras' call takes the inputs one by one: {"query", "value", "key"}. Empty when it
  /// takes a tensor or a list of them.
  virtual std::vector<std::string> call_arguments() const { return {}; }
  /// What Keras' layer.get_config() returns: name, trainable and dtype, then config().
  virtual Config get_config() const;
  /// For layers made with arguments that config() does not tell: get_config() throws ConfigError from now on.
  void refuse_config() { config_refused_ = true; }

  /// Creates the weights that depend on the input's shape, with add_weight. Called once, before the first call. Axis 0
  /// of an input shape is the batch.
  virtual void build(const Shape& /*input*/) {}
  virtual void build_many(const std::vector<Shape>& inputs) { build(inputs.at(0)); }
  /// The same for layers whose weights depend on the dtypes of their inputs.
  virtual void build_specs(const std::vector<TensorSpec>& inputs);
  /// The layer's function, in ops. Called with placeholders of unknown dimensions to infer shapes.
  virtual Tensor call(const Tensor& input, CallContext& context);
  /// The same for several inputs or outputs. The default takes one input and calls call().
  virtual std::vector<Tensor> call_many(const std::vector<Tensor>& inputs, CallContext& context);

  /// The masks of the outputs (which time steps count, see CallContext::mask), called after call_many: one per output;
  /// missing ones and empty handles = none, further ones are dropped. `masks` are those of the inputs, likewise. The
  /// default passes them on if set_supports_masking() was called, and drops them otherwise. Layers that make a mask,
  /// such as Embedding, override it.
  virtual std::vector<Tensor> compute_mask(const std::vector<Tensor>& inputs, const std::vector<Tensor>& masks,
                                           CallContext& context);

  /// Unique within a model. Given by the options, else by the session when first asked for (a LayerRef asks at once).
  const std::string& name() const;
  /// As Keras' layer.dtype: the same as variable_dtype().
  Dtype dtype() const { return variable_dtype(); }
  /// The dtype that run() casts floating inputs to, and that call() reads weights in.
  Dtype compute_dtype() const { return policy_.compute_dtype(); }
  /// The dtype of weights.
  Dtype variable_dtype() const { return policy_.variable_dtype(); }
  const DtypePolicy& dtype_policy() const { return policy_; }
  bool supports_masking() const { return supports_masking_; }
  virtual bool built() const { return built_; }
  bool trainable() const { return options_.trainable; }
  /// Also of the layers within this one. A compiled model sees the change when it is compiled again.
  virtual void set_trainable(bool trainable);
  /// Multiplies the optimizer's learning rate for the weights of this layer and the layers within it; 1 unless set. A
  /// compiled model sees the change when it is compiled again. Throws ConfigError unless finite and not negative.
  void set_learning_rate_factor(double factor);
  double learning_rate_factor() const { return learning_rate_factor_; }

  /// Own weights, then those of tracked layers; those made trainable first. The order does not depend on trainable().
  virtual std::vector<Variable> weights() const;
  /// Empty when the layer is not trainable; then all weights count as non-trainable.
  virtual std::vector<Variable> trainable_weights() const;
  virtual std::vector<Variable> non_trainable_weights() const;
  /// weights() under full names: the names of the layers that a weight lies in, from this layer on (a model does not
  /// add its own name to those of its layers), then the weight's own: "encoder/dense/kernel". Unique, in contrast to
  /// Variable::path: where two would be equal, later ones get numbers, "dense/kernel_1". A weight that lies in several
  /// layers is named after the first.
  std::vector<NamedVariable> named_weights() const;
  /// The rules of all weights, those of the layers within included, each weight once. Learning rate factors of nested
  /// layers multiply.
  std::vector<WeightRule> weight_rules() const;
  /// What add_loss() was given, here and in layers within, in the last eager call that began with this layer; then the
  /// penalties of the regularizers of all trainable weights. Scalars, differentiable, as in Keras' loops of one's own.
  std::vector<Tensor> losses() const;
  /// Keeps the scalars that a call has added.
  void set_added_losses(std::vector<Tensor> losses);
  /// The layers directly within this one, in order.
  virtual std::vector<LayerRef> sublayers() const;
  /// Elements of all weights, each weight counted once. Throws ConfigError when the layer is not built.
  Dim count_params() const;

  /// Checks the inputs, builds if need be, calls. The front door for LayerRef and models.
  std::vector<Tensor> run(const std::vector<Tensor>& inputs, CallContext& context);
  void ensure_built(const std::vector<TensorSpec>& inputs);
  /// Until its end weights are read in compute_dtype(), as run() does: for what calls parts of a layer without run().
  [[nodiscard]] AutocastScope autocast_scope() const;

  /// How many symbolic calls Keras would count: those of nodes(), after first_call() of the layer's own.
  int call_count() const { return first_call() + static_cast<int>(nodes_.size()); }
  /// Models count their own construction as call 0.
  virtual int first_call() const { return 0; }
  /// The tensors of symbolic call `call` < call_count(), without masks and initial states. Throws ConfigError when
  /// nothing uses that call any more.
  virtual std::vector<Tensor> inputs_of_call(int call) const;
  virtual std::vector<Tensor> outputs_of_call(int call) const;
  /// The nodes of the symbolic calls, in order; an entry is null once nothing uses that call any more.
  std::vector<std::shared_ptr<Node>> nodes() const;
  void add_node(const std::shared_ptr<Node>& node) { nodes_.push_back(node); }

 protected:
  /// Creates a weight, in build() or in the constructor. Its path is "<layer name>/<name>"; "" and names in use get
  /// numbers, "variable_1". `add_weight("kernel", {in, out}, {.initializer = "zeros", .trainable = false})`.
  /// Throws ShapeError when the shape has unknown dimensions or the initializer gives another spec, ConfigError once
  /// the layer is built, as track() does.
  Variable add_weight(const std::string& name, const Shape& shape, const WeightOptions& options = {});
  /// Makes the weights of a layer, a model or a list of them held as a member part of this layer's; returns it.
  template <class R>
  R track(R held) {
    if constexpr (requires { held.shared(); }) add_sublayer(held.shared());
    else
      for (const auto& layer : held) add_sublayer(layer.shared());
    return held;
  }
  /// What the inputs must look like; the last entry holds for all further inputs. Empty = no check.
  void set_input_spec(std::vector<InputSpec> specs) { input_specs_ = std::move(specs); }
  /// Lets masks pass through: see compute_mask.
  void set_supports_masking(bool supports = true) { supports_masking_ = supports; }
  /// Whether run() casts floating inputs and weights to compute_dtype(); true unless set.
  void set_autocast(bool autocast) { autocast_ = autocast; }
  /// For layers that are complete without build().
  void set_built(bool built = true) { built_ = built; }

 private:
  void add_sublayer(const std::shared_ptr<Layer>& layer);
  void require_open() const;
  void add_activity_losses(const std::vector<Tensor>& outputs, CallContext& context) const;
  void set_output_masks(const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs, CallContext& context);
  std::vector<Tensor> checked_inputs(const std::vector<Tensor>& inputs) const;
  std::string unused_weight_name(const std::string& name) const;
  std::shared_ptr<Node> node_of_call(int call) const;
  void collect_rules(double factor, std::vector<WeightRule>& rules) const;
  void collect_names(const std::string& path, std::vector<NamedVariable>& names) const;

  LayerOptions options_;
  DtypePolicy policy_;
  mutable std::string name_;
  bool built_ = false;
  bool autocast_ = true;
  bool supports_masking_ = false;
  bool config_refused_ = false;
  std::vector<InputSpec> input_specs_;
  double learning_rate_factor_ = 1.0;
  std::vector<Variable> own_weights_;
  std::vector<WeightRule> own_rules_;  // one per own weight
  std::vector<std::shared_ptr<Layer>> tracked_;
  std::vector<std::weak_ptr<Node>> nodes_;
  mutable std::mutex losses_mutex_;
  std::vector<Tensor> added_losses_;  // of the last eager call
};

/// A handle on a layer; copies mean the same layer and share its weights.
class LayerRef {
 public:
  LayerRef() = default;
  /// Gives the layer its name.
  LayerRef(std::shared_ptr<Layer> layer);  // NOLINT(google-explicit-constructor): a handle is as good as the pointer

  /// Calls the layer. On symbolic tensors records a node; on others computes (lazily); inside Layer::call becomes part
  /// of that call. Throws ConfigError when the layer has more than one output: use call().
  Tensor operator()(const Tensor& input, const CallOptions& options = {}) const;
  Tensor operator()(const std::vector<Tensor>& inputs, const CallOptions& options = {}) const;
  std::vector<Tensor> call(const std::vector<Tensor>& inputs, const CallOptions& options = {}) const;
  /// The same for N outputs: `auto [out, h, c] = lstm.call<3>({x})`. Throws ConfigError when there are not N.
  template <std::size_t N>
  std::array<Tensor, N> call(const std::vector<Tensor>& inputs, const CallOptions& options = {}) const {
    const std::vector<Tensor> outputs = call_expecting(N, inputs, options);
    std::array<Tensor, N> result;
    for (std::size_t i = 0; i < N; ++i) result[i] = outputs[i];
    return result;
  }

  const std::string& name() const { return layer_->name(); }
  std::vector<Variable> weights() const { return layer_->weights(); }
  std::vector<Variable> trainable_weights() const { return layer_->trainable_weights(); }
  std::vector<Variable> non_trainable_weights() const { return layer_->non_trainable_weights(); }
  std::vector<NamedVariable> named_weights() const { return layer_->named_weights(); }
  /// The present values of weights(), which later training does not change.
  std::vector<Tensor> get_weights() const;
  /// Throws ConfigError when there are more or fewer values than weights, ShapeError naming the weight that has another
  /// shape; then nothing is changed.
  void set_weights(const std::vector<Tensor>& values) const;
  /// Sets the weights whose full names (see Layer::named_weights) are given, and only those: to start from parts of
  /// another model. Returns the full names of the weights that were not set. Throws ShapeError for a value of another
  /// shape, before anything is changed, unless such values are to be skipped.
  std::vector<std::string> set_weights_by_name(const std::vector<std::pair<std::string, Tensor>>& values,
                                               bool skip_mismatch = false) const;
  Dim count_params() const { return layer_->count_params(); }
  bool trainable() const { return layer_->trainable(); }
  void set_trainable(bool trainable) const { layer_->set_trainable(trainable); }
  void set_learning_rate_factor(double factor) const { layer_->set_learning_rate_factor(factor); }
  Config get_config() const { return layer_->get_config(); }
  std::vector<Tensor> losses() const { return layer_->losses(); }

  /// The tensor of the first symbolic call, as Keras' layer.input and layer.output. Throws ConfigError when there is no
  /// call, or more than one such tensor.
  Tensor input() const;
  Tensor output() const;
  /// That of symbolic call `node`. Throws ConfigError "Asked to get output at node 2, but the layer has only 1 inbound
  /// nodes."
  Tensor get_input_at(int node) const;
  Tensor get_output_at(int node) const;
  /// The same for layers with several inputs or outputs.
  std::vector<Tensor> get_inputs_at(int node) const;
  std::vector<Tensor> get_outputs_at(int node) const;
  /// The shapes of the outputs (inputs) of every call. Throws ConfigError when there is none or the calls disagree.
  std::vector<Shape> output_shapes() const;
  std::vector<Shape> input_shapes() const;
  /// The same for layers with one output (input).
  Shape output_shape() const;
  Shape input_shape() const;

  Layer& layer() const { return *layer_; }
  const std::shared_ptr<Layer>& shared() const { return layer_; }
  explicit operator bool() const { return layer_ != nullptr; }
  friend bool operator==(const LayerRef&, const LayerRef&) = default;

 private:
  std::vector<Tensor> call_expecting(std::size_t count, const std::vector<Tensor>& inputs,
                                     const CallOptions& options) const;

  std::shared_ptr<Layer> layer_;
};

/// Whether config() of L says what its constructor was given; the options of all layers need no saying.
template <class L, class... Args>
constexpr bool describes_arguments() {
  if constexpr (requires { requires std::same_as<decltype(&L::config), Config (Layer::*)() const>; }) {
    return (std::same_as<std::remove_cvref_t<Args>, LayerOptions> && ...);
  } else {
    return true;
  }
}

/// A user-written layer, ready to be called: `auto y = make_layer<CustomDense>(10)(x);` When its class takes arguments
/// but does not override config(), get_config() throws ConfigError, as in Keras.
template <class L, class... Args>
LayerRef make_layer(Args&&... args) {
  auto layer = std::make_shared<L>(std::forward<Args>(args)...);
  if constexpr (!describes_arguments<L, Args...>()) layer->refuse_config();
  return LayerRef(std::move(layer));
}

/// Options of Input.
struct InputOptions {
  std::optional<Dtype> dtype = {};  // empty = the session's default
  std::string name = {};            // "" = "input_1", "input_2", ...
  Dim batch_size = None;
  Shape batch_shape = {};  // when not empty: the whole shape with its batch axis; the positional one is then empty
};

/// The shape of one sample, as Input takes it in braces: {28, 28}.
struct SampleShape {
  template <std::integral... D>
  SampleShape(D... dims) : shape{static_cast<Dim>(dims)...} {}  // NOLINT(google-explicit-constructor)
  Shape shape;
};

/// A symbolic tensor of shape (batch,) + shape: where a model begins. `Input({28, 28})`, `Input({.batch_shape = {16,
/// 10}})`, `Input(Shape{})` for one number a sample. Throws ConfigError when both a shape and a batch_shape are given.
Tensor Input(const SampleShape& shape, const InputOptions& options = {});
Tensor Input(const InputOptions& options);
template <std::same_as<Shape> S>  // a template, so that braces always mean one of the two above
Tensor Input(const S& shape, const InputOptions& options = {}) {
  SampleShape sample;
  sample.shape = shape;
  return Input(sample, options);
}

}  // namespace strata
