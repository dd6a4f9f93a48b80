// SPDX-License-Identifier: Apache-2.0
#include "layers/dropout.h"

#include "core/base/error.h"
#include "layers/dropout_mask.h"
#include "layers/layer_config.h"
#include "layers/registry.h"
#include "layers/seeded_key.h"

namespace strata {
namespace {

class DropoutLayer final : public Layer {
 public:
  DropoutLayer(double rate, const layers::DropoutOptions& options)
      : Layer({options.name, options.trainable, options.dtype}), rate_(rate), options_(options) {
    if (!(rate >= 0.0 && rate <= 1.0)) {
      throw ConfigError(
          "Invalid value received for argument `rate`. Expected a float value between 0 and 1. Received: rate=" +
          Config(rate).to_json());
    }
    set_supports_masking();
  }

  std::string class_name() const override { return "Dropout"; }
  Config config() const override {
    return Config::object({{"rate", rate_},
                           {"noise_shape", options_.noise_shape.rank() > 0 ? Config(options_.noise_shape) : Config()},
                           {"seed", options_.seed ? Config(*options_.seed) : Config()}});
  }

  Tensor call(const Tensor& input, CallContext& context) override {
    if (!context.training()) return input;
    return drop_out(input, mask_shape(input.shape()), rate_, seeded_key(context, options_.seed));
  }

 private:
  Shape mask_shape(const Shape& input) const {
    Shape mask = options_.noise_shape;
    if (mask.rank() == 0) return input;
    if (mask.rank() != input.rank()) {
      throw ShapeError("Dropout " + name() + ": expected a noise_shape of rank " + std::to_string(input.rank()) +
                       " for an input of shape " + input.str() + ", received " + mask.str());
    }
    for (int axis = 0; axis < mask.rank(); ++axis) {
      if (mask[axis] == None) mask = mask.with(axis, input[axis]);
      if (mask[axis] != 1 && !dims_fit(mask[axis], input[axis])) {
        throw ShapeError("Dropout " + name() + ": noise_shape " + mask.str() +
                         " does not broadcast to the input's shape " + input.str());
      }
    }
    return mask;
  }

  double rate_;
  layers::DropoutOptions options_;
};

LayerRef dropout_from_config(const Config& config) {
  const LayerConfig arguments("Dropout", config, {"rate", "noise_shape", "seed"});
  const LayerOptions common = arguments.options();
  layers::DropoutOptions options{.name = common.name, .trainable = common.trainable, .dtype = common.dtype};
  if (arguments.has("noise_shape")) options.noise_shape = arguments.get("noise_shape").as_shape();
  if (arguments.has("seed")) options.seed = arguments.integer("seed");
  return layers::Dropout(arguments.number("rate"), options);
}

}  // namespace

layers::Dropout::Dropout(double rate, const DropoutOptions& options)
    : LayerRef(std::make_shared<DropoutLayer>(rate, options)) {}

void register_dropout(LayerRegistry& registry) {
  using layers::Dropout;
  registry.add({"Dropout",
                dropout_from_config,
                {{"elements", [](Dtype dtype) { return Dropout(0.3, {.name = "dropout", .dtype = dtype}); }, {{4, 6}}},
                 {"rows",
                  [](Dtype dtype) {
                    return Dropout(0.5, {.noise_shape = {None, 1, 5}, .seed = 7, .name = "rows", .dtype = dtype});
                  },
                  {{3, 4, 5}}}}});
}

}  // namespace strata
