// SPDX-License-Identifier: Apache-2.0
#include "layers/dropout.h"

#include "layers/dropout_mask.h"
#include "layers/noise_shape.h"
#include "layers/random_layer.h"
#include "layers/registry.h"

namespace strata {
namespace {

class DropoutLayer final : public RandomLayer {
 public:
  DropoutLayer(double rate, const layers::DropoutOptions& options)
      : RandomLayer("rate", rate, options.seed, {options.name, options.trainable, options.dtype}),
        noise_shape_(options.noise_shape) {}

  std::string class_name() const override { return "Dropout"; }
  Config config() const override { return RandomLayer::config().set("noise_shape", noise_shape_.config()); }

 private:
  Tensor change(const Tensor& input, const RandomKey& key) const override {
    return drop_out(input, noise_shape_.of(input.shape(), "Dropout " + name()), value(), noise_shape_.key(key));
  }

  NoiseShape noise_shape_;
};

LayerRef dropout_from_config(const Config& config) {
  const LayerConfig arguments("Dropout", config, {"rate", "noise_shape", "seed"});
  auto options = random_options<layers::DropoutOptions>(arguments);
  if (arguments.has("noise_shape")) options.noise_shape = arguments.get("noise_shape").as_shape();
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
