// SPDX-License-Identifier: Apache-2.0
#include "layers/gaussian_noise.h"

#include "layers/registry.h"

namespace strata {
namespace {

class GaussianNoiseLayer final : public RandomLayer {
 public:
  GaussianNoiseLayer(double stddev, const layers::RandomLayerOptions& options)
      : RandomLayer("stddev", stddev, options.seed, {options.name, options.trainable, options.dtype}) {}

  std::string class_name() const override { return "GaussianNoise"; }

 private:
  Tensor change(const Tensor& input, const RandomKey& key) const override {
    return input + ops::random_normal(key, input.shape(), 0.0, value(), input.dtype());
  }
};

LayerRef gaussian_noise_from_config(const Config& config) {
  const LayerConfig arguments("GaussianNoise", config, {"stddev", "seed"});
  return layers::GaussianNoise(arguments.number("stddev"), random_options<layers::RandomLayerOptions>(arguments));
}

}  // namespace

layers::GaussianNoise::GaussianNoise(double stddev, const RandomLayerOptions& options)
    : LayerRef(std::make_shared<GaussianNoiseLayer>(stddev, options)) {}

void register_gaussian_noise(LayerRegistry& registry) {
  const auto make = [](Dtype dtype) {
    return layers::GaussianNoise(0.3, {.seed = 3, .name = "gaussian_noise", .dtype = dtype});
  };
  registry.add({"GaussianNoise", gaussian_noise_from_config, {{"matrix", make, {{4, 6}}}}});
}

}  // namespace strata
