// SPDX-License-Identifier: Apache-2.0
#include "layers/rescaling.h"

#include "core/base/error.h"
#include "layers/layer_config.h"
#include "layers/registry.h"

namespace strata {
namespace {

class RescalingLayer final : public Layer {
 public:
  RescalingLayer(Numbers scale, const layers::RescalingOptions& options)
      : Layer({options.name, options.trainable, options.dtype}), scale_(std::move(scale)), offset_(options.offset) {
    if (scale_.empty() || offset_.empty()) {
      throw ConfigError("Rescaling: expected a scale and an offset, received scale=" + scale_.text() +
                        " and offset=" + offset_.text());
    }
    set_supports_masking();
  }

  std::string class_name() const override { return "Rescaling"; }
  Config config() const override { return Config::object({{"scale", scale_.config()}, {"offset", offset_.config()}}); }

  Tensor call(const Tensor& input, CallContext&) override {
    return ops::cast(input, compute_dtype()) * scale_.tensor(compute_dtype()) + offset_.tensor(compute_dtype());
  }

 private:
  Numbers scale_, offset_;
};

LayerRef rescaling_from_config(const Config& config) {
  const LayerConfig arguments("Rescaling", config, {"scale", "offset"});
  const LayerOptions common = arguments.options();
  layers::RescalingOptions options{.name = common.name, .trainable = common.trainable, .dtype = common.dtype};
  if (arguments.has("offset")) options.offset = Numbers::from_config(arguments.get("offset"));
  return layers::Rescaling(Numbers::from_config(arguments.get("scale")), options);
}

}  // namespace

layers::Rescaling::Rescaling(const Numbers& scale, const RescalingOptions& options)
    : LayerRef(std::make_shared<RescalingLayer>(scale, options)) {}

void register_rescaling(LayerRegistry& registry) {
  using layers::Rescaling;
  registry.add(
      {"Rescaling",
       rescaling_from_config,
       {{"numbers",
         [](Dtype dtype) { return Rescaling(1.0 / 255, {.offset = -1, .name = "rescaling", .dtype = dtype}); },
         {{3, 4}}},
        {"arrays",
         [](Dtype dtype) {
           return Rescaling({0.5, 2.0, -1.0}, {.offset = {1, 0, 3}, .name = "rescaling_channels", .dtype = dtype});
         },
         {{2, 4, 3}}}}});
}

}  // namespace strata
