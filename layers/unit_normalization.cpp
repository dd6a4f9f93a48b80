// SPDX-License-Identifier: Apache-2.0
#include "layers/unit_normalization.h"

#include "layers/layer_config.h"
#include "layers/registry.h"

namespace strata {
namespace {

constexpr double kShortest = 1e-12;

class UnitNormalizationLayer final : public Layer {
 public:
  explicit UnitNormalizationLayer(const layers::UnitNormalizationOptions& options)
      : Layer({options.name, options.trainable, options.dtype}), axis_(options.axis) {
    set_supports_masking();
  }

  std::string class_name() const override { return "UnitNormalization"; }
  Config config() const override { return Config::object({{"axis", axis_.config()}}); }

  Tensor call(const Tensor& input, CallContext&) override {
    const Tensor squares = ops::sum(ops::square(input), axis_.within(input.shape()), true);
    // Keras takes the smaller of 1 / length and 1e12, whose derivative is not a number where the length is 0.
    return input * ops::rsqrt(ops::maximum(squares, scalar(kShortest * kShortest, input.dtype())));
  }

 private:
  Axes axis_;
};

LayerRef unit_normalization_from_config(const Config& config) {
  const LayerConfig arguments("UnitNormalization", config, {"axis"});
  const LayerOptions common = arguments.options();
  layers::UnitNormalizationOptions options{.name = common.name, .trainable = common.trainable, .dtype = common.dtype};
  if (arguments.has("axis")) options.axis = Axes::from_config(arguments.get("axis"));
  return layers::UnitNormalization(options);
}

}  // namespace

layers::UnitNormalization::UnitNormalization(const UnitNormalizationOptions& options)
    : LayerRef(std::make_shared<UnitNormalizationLayer>(options)) {}

void register_unit_normalization(LayerRegistry& registry) {
  using layers::UnitNormalization;
  registry.add({"UnitNormalization",
                unit_normalization_from_config,
                {{"last axis",
                  [](Dtype dtype) { return UnitNormalization({.name = "unit_normalization", .dtype = dtype}); },
                  {{3, 5}}},
                 {"two axes",
                  [](Dtype dtype) {
                    return UnitNormalization({.axis = {1, 2}, .name = "unit_two_axes", .dtype = dtype});
                  },
                  {{2, 3, 4}}}}});
}

}  // namespace strata
