// SPDX-License-Identifier: Apache-2.0
#include "layers/rms_normalization.h"

#include "layers/layer_config.h"
#include "layers/registry.h"

namespace strata {
namespace {

class RMSNormalizationLayer final : public Layer {
 public:
  explicit RMSNormalizationLayer(const layers::RMSNormalizationOptions& options)
      : Layer({options.name, options.trainable, options.dtype}), axis_(options.axis), epsilon_(options.epsilon) {}

  std::string class_name() const override { return "RMSNormalization"; }
  Config config() const override { return Config::object({{"axis", axis_.config()}, {"epsilon", epsilon_}}); }
  void build(const Shape& input) override { scale_ = add_weight("scale", axis_.sizes(input), {.initializer = "ones"}); }

  Tensor call(const Tensor& input, CallContext&) override {
    const Tensor x = ops::cast(input, widened(compute_dtype()));
    const Tensor mean_square = ops::mean(ops::square(x), axis_.within(x.shape()), true);
    return ops::cast(x * ops::rsqrt(mean_square + epsilon_) * ops::cast(scale_, x.dtype()), compute_dtype());
  }

 private:
  Axes axis_;
  double epsilon_;
  Variable scale_;
};

LayerRef rms_normalization_from_config(const Config& config) {
  const LayerConfig arguments("RMSNormalization", config, {"axis", "epsilon"});
  const LayerOptions common = arguments.options();
  layers::RMSNormalizationOptions options{.name = common.name, .trainable = common.trainable, .dtype = common.dtype};
  if (arguments.has("axis")) options.axis = Axes::from_config(arguments.get("axis"));
  options.epsilon = arguments.number("epsilon", options.epsilon);
  return layers::RMSNormalization(options);
}

}  // namespace

layers::RMSNormalization::RMSNormalization(const RMSNormalizationOptions& options)
    : LayerRef(std::make_shared<RMSNormalizationLayer>(options)) {}

void register_rms_normalization(LayerRegistry& registry) {
  using layers::RMSNormalization;
  registry.add({"RMSNormalization",
                rms_normalization_from_config,
                {{"last axis",
                  [](Dtype dtype) { return RMSNormalization({.name = "rms_normalization", .dtype = dtype}); },
                  {{3, 5}}},
                 {"two axes",
                  [](Dtype dtype) {
                    return RMSNormalization({.axis = {1, 2}, .epsilon = 0.1, .name = "rms_two_axes", .dtype = dtype});
                  },
                  {{2, 3, 4}}}}});
}

}  // namespace strata
