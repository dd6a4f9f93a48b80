// SPDX-License-Identifier: Apache-2.0
// Layer: build / call / config. What a user derives from to write a layer, and the handle that layers are used through.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/config.h"
#include "core/model/call_context.h"
#include "core/tensor/variable.h"

namespace strata {

/// What a layer demands of one input; checked before every call, with Keras' error texts.
struct InputSpec {
  std::optional<int> rank;
  std::optional<int> min_rank;
  std::map<int, Dim> axes;  // axis (may be negative) -> required size
  std::optional<Dtype> dtype;
};

/// How add_weight gets first values: a function of shape, dtype and a key unique to the weight.
using InitialValue = std::function<Tensor(const Shape&, Dtype, const RandomKey&)>;

/// Options that every layer takes.
struct LayerOptions {
  std::string name;  // "" = Keras' automatic name
  bool trainable = true;
  Dtype dtype = Dtype::float32;
};

/// Base class of layers. Derive, override build and call (or build_many and call_many for several inputs), and use it
/// through make_layer<MyLayer>(...). Held by shared_ptr; not copyable. Not thread-safe while being defined or built;
/// afterwards calls from several threads are safe.
class Layer {
 public:
  explicit Layer(LayerOptions options = {}) : options_(std::move(options)) {}
  virtual ~Layer() = default;
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  /// The Keras class name: "Dense". Also the base of the automatic name.
  virtual std::string class_name() const = 0;
  /// The constructor's arguments under Keras' names, without name, trainable and dtype.
  virtual Config config() const { return Config::object(); }

  /// Creates weights with add_weight. Called once, before the first call.
  virtual void build(const Shape& /*input*/) {}
  virtual void build_many(const std::vector<Shape>& inputs) { build(inputs.at(0)); }
  /// The layer's function, in ops. Called with placeholders of unknown dimensions to infer shapes.
  virtual Tensor call(const Tensor& input, CallContext& context);
  virtual std::vector<Tensor> call_many(const std::vector<Tensor>& inputs, CallContext& context);

  /// Unique within a model. Given by the options, else by the session when first asked for.
  const std::string& name() const;
  Dtype dtype() const { return options_.dtype; }
  bool built() const { return built_; }
  bool trainable() const { return options_.trainable; }
  virtual void set_trainable(bool trainable);

  /// Own weights, then those of sub-layers: trainable ones first, as Keras orders them.
  virtual std::vector<Variable> weights() const;
  virtual std::vector<Variable> trainable_weights() const;
  virtual std::vector<Variable> non_trainable_weights() const;
  /// Elements of all weights, each counted once.
  Dim count_params() const;

  /// Builds if need be, checks the inputs, calls. The front door for LayerRef and models.
  std::vector<Tensor> run(const std::vector<Tensor>& inputs, CallContext& context);
  void ensure_built(const std::vector<Shape>& inputs);

  /// The symbolic calls of this layer so far, in order; an entry is null once nothing uses that call any more.
  std::vector<std::shared_ptr<Node>> nodes() const;
  /// Records a symbolic call; returns its index.
  int add_node(const std::shared_ptr<Node>& node);

 protected:
  /// Creates a weight in build(). Its path is "<layer name>/<name>".
  Variable add_weight(const std::string& name, const Shape& shape, const InitialValue& initial, bool trainable = true);
  /// Makes the weights of a layer held as a member part of this layer's.
  void track(std::shared_ptr<Layer> layer) { tracked_.push_back(std::move(layer)); }
  const std::vector<std::shared_ptr<Layer>>& tracked() const { return tracked_; }
  /// What the inputs must look like; the last entry holds for all further inputs. Empty = no check.
  void set_input_spec(std::vector<InputSpec> specs) { input_specs_ = std::move(specs); }

 private:
  void check_inputs(const std::vector<Tensor>& inputs) const;

  LayerOptions options_;
  mutable std::string name_;
  bool built_ = false;
  std::vector<InputSpec> input_specs_;
  std::vector<Variable> own_trainable_;
  std::vector<Variable> own_non_trainable_;
  std::vector<std::shared_ptr<Layer>> tracked_;
  std::vector<std::weak_ptr<Node>> nodes_;
};

/// A handle on a layer; copies mean the same layer and share its weights.
class LayerRef {
 public:
  LayerRef() = default;
  LayerRef(std::shared_ptr<Layer> layer) : layer_(std::move(layer)) {}  // NOLINT(google-explicit-constructor)

  /// Calls the layer. On symbolic tensors records a node; on others computes (lazily). Throws ConfigError when the layer
  /// has more than one output: use call().
  Tensor operator()(const Tensor& input, const CallOptions& options = {}) const;
  Tensor operator()(const std::vector<Tensor>& inputs, const CallOptions& options = {}) const;
  std::vector<Tensor> call(const std::vector<Tensor>& inputs, const CallOptions& options = {}) const;

  const std::string& name() const { return layer_->name(); }
  std::vector<Variable> weights() const { return layer_->weights(); }
  Dim count_params() const { return layer_->count_params(); }
  bool trainable() const { return layer_->trainable(); }
  void set_trainable(bool trainable) const { layer_->set_trainable(trainable); }

  /// The tensors of the first symbolic call, as Keras' layer.input and layer.output. Throws ConfigError when there is none.
  Tensor input() const { return get_input_at(0); }
  Tensor output() const { return get_output_at(0); }
  /// Those of symbolic call `node`. Throws ConfigError "Asked to get output at node 2, but the layer has only 1 inbound nodes."
  Tensor get_input_at(int node) const;
  Tensor get_output_at(int node) const;
  /// The output shape of every call. Throws ConfigError when the calls disagree.
  Shape output_shape() const;

  Layer& layer() const { return *layer_; }
  const std::shared_ptr<Layer>& shared() const { return layer_; }
  explicit operator bool() const { return layer_ != nullptr; }
  friend bool operator==(const LayerRef&, const LayerRef&) = default;

 private:
  std::shared_ptr<Layer> layer_;
};

/// A user-written layer, ready to be called: `auto y = make_layer<CustomDense>(10)(x);`
template <class L, class... Args>
LayerRef make_layer(Args&&... args) {
  return LayerRef(std::make_shared<L>(std::forward<Args>(args)...));
}

/// A symbolic call of a layer, as an op: what makes a tensor part of a graph of layers.
class LayerOp final : public Op {
 public:
  LayerOp(std::shared_ptr<Layer> layer, std::vector<TensorSpec> outputs, CallOptions options)
      : layer_(std::move(layer)), outputs_(std::move(outputs)), options_(std::move(options)) {}
  std::string_view name() const override { return "layer"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec>) const override { return outputs_; }
  bool is_source() const override { return true; }
  const std::shared_ptr<Layer>& layer() const { return layer_; }
  const CallOptions& options() const { return options_; }

 private:
  std::shared_ptr<Layer> layer_;
  std::vector<TensorSpec> outputs_;
  CallOptions options_;
};

/// Options of Input.
struct InputOptions {
  Dtype dtype = Dtype::float32;
  std::string name;     // "" = "input_1", "input_2", ...
  Dim batch_size = None;
  Shape batch_shape;    // when not empty: the whole shape, batch axis included; the positional shape must then be empty
};

/// A symbolic tensor of shape (batch,) + shape: where a model begins.
Tensor Input(const Shape& shape, const InputOptions& options = {});
inline Tensor Input(const InputOptions& options) { return Input(Shape{}, options); }

}  // namespace strata
