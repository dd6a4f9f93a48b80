// SPDX-License-Identifier: Apache-2.0
#include "layers/elu.h"

#include "layers/elementwise_layer.h"
#include "layers/layer_config.h"
#include "layers/registry.h"

namespace strata {
namespace {

LayerRef elu_from_config(const Config& config) {
  const LayerConfig arguments("ELU", config, {"alpha"});
  return layers::ELU(arguments.number("alpha", 1.0), arguments.options());
}

}  // namespace

layers::ELU::ELU(double alpha, const LayerOptions& options)
    : LayerRef(std::make_shared<ElementwiseLayer>(
          "ELU", Config::object({{"alpha", alpha}}), [alpha](const Tensor& x) { return activations::elu(x, alpha); },
          options)) {}

void register_elu(LayerRegistry& registry) {
  const auto make = [](Dtype dtype) { return layers::ELU(0.5, {.name = "elu", .dtype = dtype}); };
  registry.add({"ELU", elu_from_config, {{"alpha", make, {{3, 4}}}}});
}

}  // namespace strata
