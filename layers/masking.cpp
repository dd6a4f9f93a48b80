// SPDX-License-Identifier: Apache-2.0
#include "layers/masking.h"

#include "layers/layer_config.h"
#include "layers/registry.h"

namespace strata {
namespace {

class MaskingLayer final : public Layer {
 public:
  MaskingLayer(double mask_value, const layers::MaskingOptions& options)
      : Layer({options.name, options.trainable, options.dtype}), mask_value_(mask_value) {
    set_input_spec({{.min_rank = 2}});
    set_supports_masking();
  }

  std::string class_name() const override { return "Masking"; }
  Config config() const override { return Config::object({{"mask_value", mask_value_}}); }

  Tensor call(const Tensor& input, CallContext&) override {
    return ops::select(differs(input, true), input, scalar(0, input.dtype()));
  }

  std::vector<Tensor> compute_mask(const std::vector<Tensor>& inputs, const std::vector<Tensor>&,
                                   CallContext&) override {
    return {differs(inputs[0], false)};
  }

 private:
  /// Whether any feature differs from the mask value.
  Tensor differs(const Tensor& input, bool keepdims) const {
    const Tensor each = ops::not_equal(input, scalar(mask_value_, input.dtype()));
    return ops::cast(ops::max(ops::cast(each, Dtype::int32), {-1}, keepdims), Dtype::boolean);
  }

  double mask_value_;
};

LayerRef masking_from_config(const Config& config) {
  const LayerConfig arguments("Masking", config, {"mask_value"});
  const LayerOptions common = arguments.options();
  return layers::Masking(arguments.number("mask_value", 0.0), {common.name, common.trainable, common.dtype});
}

}  // namespace

layers::Masking::Masking(double mask_value, const MaskingOptions& options)
    : LayerRef(std::make_shared<MaskingLayer>(mask_value, options)) {}

void register_masking(LayerRegistry& registry) {
  using layers::Masking;
  registry.add(
      {"Masking",
       masking_from_config,
       {{"zero", [](Dtype dtype) { return Masking(0.0, {.name = "masking", .dtype = dtype}); }, {{2, 4, 3}}},
        {"two axes", [](Dtype dtype) { return Masking(0.5, {.name = "masking_rows", .dtype = dtype}); }, {{3, 2}}}}});
}

}  // namespace strata
