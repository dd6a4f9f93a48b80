// SPDX-License-Identifier: Apache-2.0
#include "layers/time_distributed.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/model/stored_parts.h"
#include "layers/dense.h"
#include "layers/dropout.h"
#include "layers/layer_config.h"
#include "layers/registry.h"

namespace strata {
namespace {

/// (batch, time, ...) as (batch time, ...).
Tensor fold_time(const Tensor& x) {
  const Shape& shape = x.shape();
  const Dim rows = shape[0] == None || shape[1] == None ? None : shape[0] * shape[1];
  return ops::reshape(x, Shape{rows}.concat(shape.slice(2, shape.rank())));
}

/// x[:, t].
Tensor time_step(const Tensor& x, Dim t) {
  std::vector<Dim> begin(static_cast<std::size_t>(x.rank()), 0), end(begin.size(), None);
  begin[1] = t;
  end[1] = t + 1;
  const Shape rest = x.shape().slice(2, x.rank());
  return ops::reshape(ops::slice(x, begin, end), Shape{x.shape()[0]}.concat(rest));
}

class TimeDistributedLayer final : public Layer, public HasStoredParts {
 public:
  TimeDistributedLayer(const LayerRef& layer, const LayerOptions& options) : Layer(options) {
    if (!layer) {
      throw ConfigError(
          "Please initialize `TimeDistributed` layer with a `keras.layers.Layer` instance. Received: None");
    }
    layer_ = track(layer);
    set_autocast(false);
    set_supports_masking();
  }

  std::string class_name() const override { return "TimeDistributed"; }
  Config config() const override { return Config::object({{"layer", serialize_layer(layer_.layer())}}); }

  std::vector<StoredPart> stored_parts() const override { return {{"layer", layer_}}; }

  void build_specs(const std::vector<TensorSpec>& inputs) override {
    const Shape& shape = inputs[0].shape;
    check_rank(shape);
    layer_.layer().ensure_built({{Shape{shape[0]}.concat(shape.slice(2, shape.rank())), inputs[0].dtype}});
  }

  Tensor call(const Tensor& input, CallContext& context) override {
    check_rank(input.shape());
    if (context.mask()) check_mask(context.mask().shape(), input.shape());
    const Tensor at_once = call_at_once(input, context);
    if (at_once) return at_once;
    std::vector<Tensor> steps;
    for (Dim t = 0; t < input.shape()[1]; ++t) {
      CallOptions options;
      if (context.mask()) options.mask = {time_step(context.mask(), t)};
      steps.push_back(layer_(time_step(input, t), options));
    }
    return ops::stack(steps, 1);
  }

 private:
  static void check_rank(const Shape& shape) {
    if (shape.rank() >= 3) return;
    throw ShapeError(
        "`TimeDistributed` Layer should be passed an `input_shape` with at least 3 dimensions, received: " +
        shape.str());
  }

  static void check_mask(const Shape& mask, const Shape& input) {
    if (mask.rank() < 2) {
      throw ShapeError(
          "The `mask` passed to the `TimeDistributed` layer must be at least 2D (e.g., `(batch_size, timesteps)`), but "
          "it has " +
          std::to_string(mask.rank()) + " dimension(s) with shape " + mask.str() + ".");
    }
    if (dims_fit(mask[0], input[0]) && dims_fit(mask[1], input[1])) return;
    throw ShapeError("The `mask` passed to the `TimeDistributed` layer has a shape " + mask.str() +
                     " that is incompatible with the input shape " + input.str() +
                     ". The first two dimensions of the mask (batch size and timesteps) must match the input's first "
                     "two dimensions. Expected mask shape prefix: " +
                     input.slice(0, 2).str() + ".");
  }

  /// The steps as further samples; an empty handle when that would be another function. With an unknown number of steps
  /// it serves for the shape.
  Tensor call_at_once(const Tensor& input, CallContext& context) const {
    Trace trace{.training = context.training(), .random_state = placeholder({Shape{3}, Dtype::int64})};
    CallOptions options;
    if (context.mask()) options.mask = {fold_time(context.mask())};
    CallContext nested(trace, context.path() + "/" + layer_.name(), context.training(), options);
    const std::vector<Tensor> outputs = layer_.layer().run({fold_time(input)}, nested);
    if (outputs.size() != 1) {
      throw ConfigError("Layer " + name() + ": expected a layer with one output, received " +
                        std::to_string(outputs.size()) + " from " + layer_.name());
    }
    const auto order = topological_order(outputs);
    const bool random =
        std::any_of(order.begin(), order.end(), [&](const auto& node) { return node == trace.random_state.node(); });
    const Dim steps = input.shape()[1];
    if (steps != None && steps > 0 && (random || !trace.updates.empty() || !trace.losses.empty())) return {};
    const Shape& shape = outputs[0].shape();
    return ops::reshape(outputs[0], input.shape().slice(0, 2).concat(shape.slice(1, shape.rank())));
  }

  LayerRef layer_;
};

LayerRef time_distributed_from_config(const Config& config) {
  const LayerConfig arguments("TimeDistributed", config, {"layer"});
  const LayerOptions common = arguments.options();
  return layers::TimeDistributed(arguments.layer("layer"), {common.name, common.trainable, common.dtype});
}

}  // namespace

layers::TimeDistributed::TimeDistributed(const LayerRef& layer, const TimeDistributedOptions& options)
    : LayerRef(make_layer<TimeDistributedLayer>(layer, LayerOptions{options.name, options.trainable, options.dtype})) {}

void register_time_distributed(LayerRegistry& registry) {
  using layers::Dense;
  using layers::Dropout;
  using layers::TimeDistributed;
  registry.add({"TimeDistributed",
                time_distributed_from_config,
                {{"at once",
                  [](Dtype dtype) {
                    return TimeDistributed(Dense(3, {.activation = "tanh", .name = "inner", .dtype = dtype}),
                                           {.name = "time_distributed", .dtype = dtype});
                  },
                  {{2, 4, 5}}},
                 {"step by step",
                  [](Dtype dtype) {
                    return TimeDistributed(Dropout(0.4, {.seed = 3, .name = "inner_dropout", .dtype = dtype}),
                                           {.name = "time_distributed_dropout", .dtype = dtype});
                  },
                  {{2, 3, 4, 2}}},
                 {"penalty",
                  [](Dtype dtype) {
                    return TimeDistributed(Dense(2, {.activity_regularizer = "l2", .name = "penal", .dtype = dtype}),
                                           {.name = "time_distributed_penalty", .dtype = dtype});
                  },
                  {{2, 3, 4}}}}});
}

}  // namespace strata
