// SPDX-License-Identifier: Apache-2.0
#include "layers/concatenate.h"

#include <algorithm>

#include "core/base/error.h"
#include "layers/layer_config.h"
#include "layers/merge.h"

namespace strata {
namespace {

class ConcatenateLayer final : public Layer {
 public:
  ConcatenateLayer(int axis, const LayerOptions& options) : Layer(options), axis_(axis) { set_supports_masking(); }

  std::string class_name() const override { return "Concatenate"; }
  Config config() const override { return Config::object({{"axis", axis_}}); }

  std::vector<Tensor> call_many(const std::vector<Tensor>& inputs, CallContext&) override {
    const int rank = inputs[0].rank();
    const int axis = normalize_axis(axis_, rank, "Concatenate");
    for (const Tensor& input : inputs) {
      // The axis itself need not match.
      if (input.rank() == rank && shapes_fit(input.shape().with(axis, None), inputs[0].shape())) continue;
      throw ShapeError(
          "A `Concatenate` layer requires inputs with matching shapes except for the concat axis. Got inputs "
          "shapes: " +
          shapes_text(inputs) + " (layer: " + name() + ")");
    }
    return {ops::concatenate(inputs, axis)};
  }

  /// The masks joined as the inputs are; a time step counts when any of its features does (Keras 3). An input without a
  /// mask counts whole.
  std::vector<Tensor> compute_mask(const std::vector<Tensor>& inputs, const std::vector<Tensor>& masks,
                                   CallContext&) override {
    if (std::none_of(masks.begin(), masks.end(), [](const Tensor& mask) { return bool(mask); })) return {};
    std::vector<Tensor> whole;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Tensor ones = ops::cast(ops::ones_like(inputs[i]), Dtype::int32);
      Tensor mask = i < masks.size() ? masks[i] : Tensor();
      if (mask && mask.rank() < inputs[i].rank()) mask = ops::expand_dims(mask, -1);
      whole.push_back(mask ? ops::cast(mask, Dtype::int32) * ones : ones);
    }
    return {ops::cast(ops::max(ops::concatenate(whole, axis_), {-1}), Dtype::boolean)};
  }

 private:
  int axis_;
};

LayerRef concatenate_from_config(const Config& config) {
  const LayerConfig arguments("Concatenate", config, {"axis"});
  return layers::Concatenate(static_cast<int>(arguments.integer("axis", -1)), arguments.options());
}

}  // namespace

layers::Concatenate::Concatenate(int axis, const LayerOptions& options)
    : LayerRef(std::make_shared<ConcatenateLayer>(axis, options)) {}

Tensor layers::concatenate(const std::vector<Tensor>& inputs, int axis, const LayerOptions& options) {
  return Concatenate(axis, options)(inputs);
}

void register_concatenate(LayerRegistry& registry) {
  using layers::Concatenate;
  registry.add(
      {"Concatenate",
       concatenate_from_config,
       {{"last axis", [](Dtype dtype) { return Concatenate(-1, {.name = "last", .dtype = dtype}); }, {{3, 4}, {3, 2}}},
        {"middle axis",
         [](Dtype dtype) { return Concatenate(1, {.name = "middle", .dtype = dtype}); },
         {{2, 3, 4}, {2, 1, 4}, {2, 2, 4}}}},
       {{"{}",
         {{None, 4, 2}, {None, 5, 3}},
         "A `Concatenate` layer requires inputs with matching shapes except for the concat axis. Got inputs shapes: "
         "[(None, 4, 2), (None, 5, 3)] (layer: layer)"},
        {R"({"axis": 3})",
         {{None, 4, 2}, {None, 4, 2}},
         "Concatenate: axis must be in [-3, 3) for a tensor of rank 3, received 3"}}});
}

}  // namespace strata
