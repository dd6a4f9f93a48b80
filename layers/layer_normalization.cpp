// SPDX-License-Identifier: Apache-2.0
#include "layers/layer_normalization.h"

#include "core/model/config_dialect.h"
#include "layers/moments.h"
#include "layers/normalization_base.h"
#include "layers/registry.h"

namespace strata {
namespace {

class LayerNormalizationLayer final : public NormalizationBase {
 public:
  explicit LayerNormalizationLayer(const layers::LayerNormalizationOptions& options)
      : NormalizationBase(normalization_arguments(options)), axis_(options.axis), rms_scaling_(options.rms_scaling) {}

  std::string class_name() const override { return "LayerNormalization"; }
  void build(const Shape& input) override {
    build_gamma_and_beta(axis_.sizes(input), arguments().scale || rms_scaling_, arguments().center && !rms_scaling_);
  }

 private:
  Config own_config() const override {
    Config config = Config::object({{"axis", axis_.config()}});
    const bool known = rms_scaling_ || ConfigDialectScope::current() == ConfigDialect::keras3;  // not to tf.keras
    return known ? config.set("rms_scaling", rms_scaling_) : config;
  }

  Tensor normalize(const Tensor& x, CallContext&) const override {
    const Shape kept = axis_.kept(x.shape());
    const Moments over = moments(x, axis_.within(x.shape()));
    return normalized(rms_scaling_ ? x : over.centered, over.variance, gamma(kept), beta(kept));
  }

  Axes axis_;
  bool rms_scaling_;
};

LayerRef layer_normalization_from_config(const Config& config) {
  const LayerConfig arguments("LayerNormalization", config, normalization_argument_names({"axis", "rms_scaling"}));
  auto options = normalization_options<layers::LayerNormalizationOptions>(arguments);
  if (arguments.has("axis")) options.axis = Axes::from_config(arguments.get("axis"));
  options.rms_scaling = arguments.flag("rms_scaling", false);
  return layers::LayerNormalization(options);
}

}  // namespace

layers::LayerNormalization::LayerNormalization(const LayerNormalizationOptions& options)
    : LayerRef(std::make_shared<LayerNormalizationLayer>(options)) {}

void register_layer_normalization(LayerRegistry& registry) {
  const auto example = [](std::string label, layers::LayerNormalizationOptions options, const Shape& input) {
    options.name = "layer_normalization";
    options.gamma_initializer = "random_normal";
    const auto make = [=](Dtype dtype) {
      layers::LayerNormalizationOptions own = options;
      own.dtype = dtype;
      return layers::LayerNormalization(own);
    };
    return LayerExample{std::move(label), make, {input}};
  };
  registry.add({"LayerNormalization",
                layer_normalization_from_config,
                {example("last axis", {}, {3, 5}), example("two axes", {.axis = {1, -1}, .epsilon = 0.1}, {2, 3, 2, 4}),
                 example("rms scaling", {.axis = 1, .rms_scaling = true}, {2, 5, 3})}});
}

}  // namespace strata
