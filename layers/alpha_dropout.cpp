// SPDX-License-Identifier: Apache-2.0
#include "layers/alpha_dropout.h"

#include <cmath>

#include "layers/noise_shape.h"
#include "layers/random_layer.h"
#include "layers/registry.h"

namespace strata {
namespace {

// -scale * alpha of SELU, Klambauer et al. (2017), equation 14.
constexpr double kSeluLimit = -1.6732632423543772 * 1.0507009873554805;

class AlphaDropoutLayer final : public RandomLayer {
 public:
  AlphaDropoutLayer(double rate, const layers::DropoutOptions& options)
      : RandomLayer("rate", rate, options.seed, {options.name, options.trainable, options.dtype}),
        noise_shape_(options.noise_shape) {}

  std::string class_name() const override { return "AlphaDropout"; }
  Config config() const override { return RandomLayer::config().set("noise_shape", noise_shape_.config()); }

 private:
  Tensor change(const Tensor& input, const RandomKey& key) const override {
    require_below_one();
    const double rate = value();
    const Shape shape = noise_shape_.of(input.shape(), "AlphaDropout " + name());
    const Tensor keep = ops::random_bernoulli(noise_shape_.key(key), shape, 1.0 - rate);
    const double a = 1.0 / std::sqrt((1.0 - rate) * (1.0 + rate * kSeluLimit * kSeluLimit));
    const double b = -a * kSeluLimit * rate;
    return ops::select(keep, input * a, scalar(a * kSeluLimit, input.dtype())) + b;
  }

  NoiseShape noise_shape_;
};

LayerRef alpha_dropout_from_config(const Config& config) {
  const LayerConfig arguments("AlphaDropout", config, {"rate", "noise_shape", "seed"});
  auto options = random_options<layers::DropoutOptions>(arguments);
  if (arguments.has("noise_shape")) options.noise_shape = arguments.get("noise_shape").as_shape();
  return layers::AlphaDropout(arguments.number("rate"), options);
}

}  // namespace

layers::AlphaDropout::AlphaDropout(double rate, const DropoutOptions& options)
    : LayerRef(std::make_shared<AlphaDropoutLayer>(rate, options)) {}

void register_alpha_dropout(LayerRegistry& registry) {
  using layers::AlphaDropout;
  registry.add(
      {"AlphaDropout",
       alpha_dropout_from_config,
       {{"elements",
         [](Dtype dtype) { return AlphaDropout(0.3, {.name = "alpha_dropout", .dtype = dtype}); },
         {{4, 6}}},
        {"shared by all samples",
         [](Dtype dtype) {
           return AlphaDropout(0.5, {.noise_shape = {1, None}, .seed = 7, .name = "alpha_shared", .dtype = dtype});
         },
         {{3, 5}}}}});
}

}  // namespace strata
