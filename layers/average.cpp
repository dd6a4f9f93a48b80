// SPDX-License-Identifier: Apache-2.0
#include "layers/average.h"

#include "layers/merge.h"

namespace strata {
namespace {

class AverageLayer final : public MergeLayer {
 public:
  using MergeLayer::MergeLayer;
  std::string class_name() const override { return "Average"; }

 protected:
  Tensor merge(const std::vector<Tensor>& inputs, const std::vector<Tensor>&) const override {
    Tensor sum = inputs[0];
    for (std::size_t i = 1; i < inputs.size(); ++i) sum = sum + inputs[i];
    return sum / static_cast<double>(inputs.size());
  }
};

}  // namespace

layers::Average::Average(const LayerOptions& options) : LayerRef(std::make_shared<AverageLayer>(options)) {}

Tensor layers::average(const std::vector<Tensor>& inputs, const LayerOptions& options) {
  return Average(options)(inputs);
}

void register_average(LayerRegistry& registry) {
  registry.add(merge_entry("Average", [](const LayerOptions& options) { return layers::Average(options); }));
}

}  // namespace strata
