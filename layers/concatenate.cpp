// SPDX-License-Identifier: Apache-2.0
#include "layers/concatenate.h"

#include "core/base/error.h"
#include "layers/layer_config.h"
#include "layers/merge.h"

namespace strata {
namespace {

class ConcatenateLayer final : public Layer {
 public:
  ConcatenateLayer(int axis, const LayerOptions& options) : Layer(options), axis_(axis) {}

  std::string class_name() const override { return "Concatenate"; }
  Config config() const override { return Config::object({{"axis", axis_}}); }

  std::vector<Tensor> call_many(const std::vector<Tensor>& inputs, CallContext&) override {
    if (inputs.size() < 2) {
      throw ConfigError("A `Concatenate` layer should be called on a list of at least 2 inputs. Got " +
                        std::to_string(inputs.size()) + " inputs.");
    }
    const int rank = inputs[0].rank();
    const int axis = normalize_axis(axis_, rank, "Concatenate");
    for (const Tensor& input : inputs) {
      // The axis itself need not match.
      if (input.rank() == rank && shapes_fit(input.shape().with(axis, None), inputs[0].shape())) continue;
      throw ShapeError(
          "A `Concatenate` layer requires inputs with matching shapes except for the concat axis. Got inputs "
          "shapes: " +
          shapes_text(inputs));
    }
    return {ops::concatenate(inputs, axis)};
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
         {{2, 3, 4}, {2, 1, 4}, {2, 2, 4}}}}});
}

}  // namespace strata
