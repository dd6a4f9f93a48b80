// SPDX-License-Identifier: Apache-2.0
#include "layers/activation.h"

#include "layers/layer_config.h"
#include "layers/registry.h"

namespace strata {
namespace {

class ActivationLayer final : public Layer {
 public:
  ActivationLayer(strata::Activation activation, const LayerOptions& options)
      : Layer(options), activation_(std::move(activation)) {
    set_supports_masking();
  }

  std::string class_name() const override { return "Activation"; }
  Config config() const override { return Config::object({{"activation", activation_.config()}}); }
  Tensor call(const Tensor& input, CallContext&) override { return activation_(input); }

 private:
  strata::Activation activation_;
};

LayerRef activation_from_config(const Config& config) {
  const LayerConfig arguments("Activation", config, {"activation"});
  return layers::Activation(Activation::from_config(arguments.get("activation")), arguments.options());
}

}  // namespace

layers::Activation::Activation(const strata::Activation& activation, const LayerOptions& options)
    : LayerRef(std::make_shared<ActivationLayer>(activation, options)) {}

void register_activation(LayerRegistry& registry) {
  LayerEntry entry{"Activation", activation_from_config};
  for (const std::string& name : Activation::names()) {
    const auto make = [name](Dtype dtype) { return layers::Activation(name, {.name = name, .dtype = dtype}); };
    entry.examples.push_back({name, make, {{3, 4}}});
  }
  registry.add(std::move(entry));
}

}  // namespace strata
