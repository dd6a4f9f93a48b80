// SPDX-License-Identifier: Apache-2.0
#include "layers/activation.h"

#include "core/base/quoted_list.h"
#include "layers/elementwise_layer.h"
#include "layers/layer_config.h"
#include "layers/registry.h"

namespace strata {
namespace {

LayerRef activation_from_config(const Config& config) {
  const LayerConfig arguments("Activation", config, {"activation"});
  return layers::Activation(Activation::from_config(arguments.get("activation")), arguments.options());
}

}  // namespace

layers::Activation::Activation(const strata::Activation& activation, const LayerOptions& options)
    : LayerRef(std::make_shared<ElementwiseLayer>("Activation", Config::object({{"activation", activation.config()}}),
                                                  activation, options)) {}

void register_activation(LayerRegistry& registry) {
  LayerEntry entry{"Activation", activation_from_config};
  for (const std::string& name : Activation::names()) {
    const auto make = [name](Dtype dtype) { return layers::Activation(name, {.name = name, .dtype = dtype}); };
    entry.examples.push_back({name, make, {{3, 4}}});
  }
  entry.refusals = {
      {R"({"activation": "relux"})",
       {},
       "Unknown activation function:relux. Expected one of: " + quoted_list(Activation::names()) +
           ", or a name given to register_function."},
      {R"({"activation": {"class_name": "function", "config": "relux"}})",
       {},
       "Unknown function: relux. Call register_function(\"relux\", ...) before it is asked for, or give it as one of "
       "`custom_objects`."},
      {R"({"activation": "softmax"})", {{None}}, "Cannot apply softmax to a tensor that is 1D"},
      {R"({"activation": "glu"})",
       {{None, 3}},
       "axis size must be divisible by 2. Received: x.shape=(None, 3) with axis=-1"},
      {R"({"activation": {"class_name": "PReLU", "config": {}}})",
       {{None, 3}},
       "The activation PReLU has weights, which the layer that it was given to would not train. Call it as a layer of "
       "its own."}};
  registry.add(std::move(entry));
}

}  // namespace strata
