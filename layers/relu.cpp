// SPDX-License-Identifier: Apache-2.0
#include "layers/relu.h"

#include "core/base/error.h"
#include "layers/elementwise_layer.h"
#include "layers/layer_config.h"
#include "layers/registry.h"

namespace strata {
namespace {

void require_not_negative(const char* argument, const char* refused, double value) {
  if (value >= 0.0) return;
  throw ConfigError(std::string(argument) + " of a ReLU layer cannot be " + refused + ". Received: " + argument + "=" +
                    Config(value).to_json());
}

std::shared_ptr<Layer> make_relu(const layers::ReLUOptions& options) {
  const auto [max_value, negative_slope, threshold, name, trainable, dtype] = options;
  require_not_negative("max_value", "a negative value", max_value.value_or(0.0));
  require_not_negative("negative_slope", "None or a negative value", negative_slope);
  require_not_negative("threshold", "None or a negative value", threshold);
  Config config = Config::object({{"max_value", max_value ? Config(*max_value) : Config()},
                                  {"negative_slope", negative_slope},
                                  {"threshold", threshold}});
  const auto function = [options](const Tensor& x) {
    return activations::relu(x, options.negative_slope, options.max_value, options.threshold);
  };
  return std::make_shared<ElementwiseLayer>("ReLU", std::move(config), function, LayerOptions{name, trainable, dtype});
}

LayerRef relu_from_config(const Config& config) {
  const LayerConfig arguments("ReLU", config, {"max_value", "negative_slope", "threshold"});
  const LayerOptions common = arguments.options();
  return layers::ReLU(
      {.max_value = arguments.has("max_value") ? std::optional(arguments.number("max_value")) : std::nullopt,
       .negative_slope = arguments.number("negative_slope", 0.0),
       .threshold = arguments.number("threshold", 0.0),
       .name = common.name,
       .trainable = common.trainable,
       .dtype = common.dtype});
}

}  // namespace

layers::ReLU::ReLU(const ReLUOptions& options) : LayerRef(make_relu(options)) {}

void register_relu(LayerRegistry& registry) {
  const auto example = [](std::string label, layers::ReLUOptions options) {
    const auto make = [options](Dtype dtype) {
      layers::ReLUOptions own = options;
      own.name = "relu";
      own.dtype = dtype;
      return layers::ReLU(own);
    };
    return LayerExample{std::move(label), make, {{3, 4}}};
  };
  registry.add(
      {"ReLU",
       relu_from_config,
       {example("plain", {}), example("bounded", {.max_value = 0.5}), example("sloped", {.negative_slope = 0.25}),
        example("all", {.max_value = 0.75, .negative_slope = 0.5, .threshold = 0.25})},
       {{R"({"max_value": -1.0})",
         {},
         "max_value of a ReLU layer cannot be a negative value. Received: max_value=-1.0"},
        {R"({"negative_slope": -1.0})",
         {},
         "negative_slope of a ReLU layer cannot be None or a negative value. Received: negative_slope=-1.0"},
        {R"({"threshold": -1.0})",
         {},
         "threshold of a ReLU layer cannot be None or a negative value. Received: threshold=-1.0"}}});
}

}  // namespace strata
