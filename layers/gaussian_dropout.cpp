// SPDX-License-Identifier: Apache-2.0
#include "layers/gaussian_dropout.h"

#include <cmath>

#include "layers/registry.h"

namespace strata {
namespace {

class GaussianDropoutLayer final : public RandomLayer {
 public:
  GaussianDropoutLayer(double rate, const layers::RandomLayerOptions& options)
      : RandomLayer("rate", rate, options.seed, {options.name, options.trainable, options.dtype}) {}

  std::string class_name() const override { return "GaussianDropout"; }

 private:
  Tensor change(const Tensor& input, const RandomKey& key) const override {
    require_below_one();
    return input * ops::random_normal(key, input.shape(), 1.0, std::sqrt(value() / (1.0 - value())), input.dtype());
  }
};

LayerRef gaussian_dropout_from_config(const Config& config) {
  const LayerConfig arguments("GaussianDropout", config, {"rate", "seed"});
  return layers::GaussianDropout(arguments.number("rate"), random_options<layers::RandomLayerOptions>(arguments));
}

}  // namespace

layers::GaussianDropout::GaussianDropout(double rate, const RandomLayerOptions& options)
    : LayerRef(std::make_shared<GaussianDropoutLayer>(rate, options)) {}

void register_gaussian_dropout(LayerRegistry& registry) {
  const auto make = [](Dtype dtype) {
    return layers::GaussianDropout(0.3, {.name = "gaussian_dropout", .dtype = dtype});
  };
  registry.add({"GaussianDropout", gaussian_dropout_from_config, {{"matrix", make, {{4, 6}}}}});
}

}  // namespace strata
