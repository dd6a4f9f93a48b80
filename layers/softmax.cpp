// SPDX-License-Identifier: Apache-2.0
#include "layers/softmax.h"

#include "core/base/error.h"
#include "layers/activations.h"
#include "layers/attention_masks.h"
#include "layers/layer_config.h"
#include "layers/registry.h"

namespace strata {
namespace {

void check_mask(const Shape& input, const Shape& mask) {
  const std::string received = " Received: inputs.shape=" + input.str() + ", mask.shape=" + mask.str();
  if (mask.rank() > input.rank()) {
    throw ShapeError("The `mask` must be broadcastable to `inputs` and must not have more dimensions." + received);
  }
  for (int i = 1; i <= mask.rank(); ++i) {
    const Dim own = mask[mask.rank() - i];
    if (own == 1 || dims_fit(own, input[input.rank() - i])) continue;
    throw ShapeError(
        "The `mask` must be broadcastable to `inputs`. Each mask dimension must be 1 or match the corresponding input "
        "dimension." +
        received);
  }
}

class SoftmaxLayer final : public Layer {
 public:
  SoftmaxLayer(Axes axis, const LayerOptions& options) : Layer(options), axis_(std::move(axis)) {
    set_supports_masking();
  }

  std::string class_name() const override { return "Softmax"; }
  Config config() const override { return Config::object({{"axis", axis_.config()}}); }

  Tensor call(const Tensor& input, CallContext& context) override {
    const Tensor& mask = context.mask();
    if (!mask) return over_axes(input);
    check_mask(input.shape(), mask.shape());
    const Tensor result = over_axes(ops::select(mask, input, scalar(large_negative(input.dtype()), input.dtype())));
    return ops::select(mask, result, scalar(0, input.dtype()));
  }

 private:
  Tensor over_axes(const Tensor& x) const {
    const std::vector<int> axes = axis_.within(x.shape());
    if (axes.size() == 1) return activations::softmax(x, axes[0]);
    const Tensor powers = ops::exp(x - ops::stop_gradient(ops::max(x, axes, true)));
    return powers / ops::sum(powers, axes, true);
  }

  Axes axis_;
};

LayerRef softmax_from_config(const Config& config) {
  const LayerConfig arguments("Softmax", config, {"axis"});
  return layers::Softmax(arguments.has("axis") ? Axes::from_config(arguments.get("axis")) : Axes(-1),
                         arguments.options());
}

}  // namespace

layers::Softmax::Softmax(const Axes& axis, const LayerOptions& options)
    : LayerRef(std::make_shared<SoftmaxLayer>(axis, options)) {}

void register_softmax(LayerRegistry& registry) {
  const auto example = [](std::string label, const Axes& axis) {
    const auto make = [axis](Dtype dtype) { return layers::Softmax(axis, {.name = "softmax", .dtype = dtype}); };
    return LayerExample{std::move(label), make, {{2, 3, 4}}};
  };
  registry.add(
      {"Softmax",
       softmax_from_config,
       {example("last axis", -1), example("middle axis", 1), example("two axes", {1, -1})},
       {{"{}", {{None}}, "Cannot apply softmax to a tensor that is 1D"},
        {R"({"axis": 3})", {{None, 5}}, "Axis 3 is out of bounds for input shape (None, 5). Received: axis=3"}}});
}

}  // namespace strata
