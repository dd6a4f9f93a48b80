// SPDX-License-Identifier: Apache-2.0
#include "layers/subtract.h"

#include "core/base/error.h"
#include "layers/merge.h"

namespace strata {
namespace {

class SubtractLayer final : public MergeLayer {
 public:
  using MergeLayer::MergeLayer;
  std::string class_name() const override { return "Subtract"; }

 protected:
  Tensor merge(const std::vector<Tensor>& inputs, const std::vector<Tensor>&) const override {
    if (inputs.size() != 2) {
      throw ConfigError("A `Subtract` layer should be called on exactly 2 inputs. Received: input_shape=" +
                        shapes_text(inputs) + " (layer: " + name() + ")");
    }
    return inputs[0] - inputs[1];
  }
};

}  // namespace

layers::Subtract::Subtract(const LayerOptions& options) : LayerRef(std::make_shared<SubtractLayer>(options)) {}

Tensor layers::subtract(const std::vector<Tensor>& inputs, const LayerOptions& options) {
  return Subtract(options)(inputs);
}

void register_subtract(LayerRegistry& registry) {
  LayerEntry entry = merge_entry("Subtract", [](const LayerOptions& options) { return layers::Subtract(options); });
  for (LayerExample& example : entry.examples) example.inputs.resize(2);
  entry.refusals.push_back({"{}",
                            {{None, 2}},
                            "A `Subtract` layer should be called on exactly 2 inputs. Received: "
                            "input_shape=[(None, 2)] (layer: layer)"});
  registry.add(std::move(entry));
}

}  // namespace strata
