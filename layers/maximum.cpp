// SPDX-License-Identifier: Apache-2.0
#include "layers/maximum.h"

#include "layers/extremum.h"

namespace strata {
namespace {

class MaximumLayer final : public ExtremumLayer {
 public:
  explicit MaximumLayer(const LayerOptions& options) : ExtremumLayer(ops::maximum, options) {}
  std::string class_name() const override { return "Maximum"; }
};

}  // namespace

layers::Maximum::Maximum(const LayerOptions& options) : LayerRef(std::make_shared<MaximumLayer>(options)) {}

Tensor layers::maximum(const std::vector<Tensor>& inputs, const LayerOptions& options) {
  return Maximum(options)(inputs);
}

void register_maximum(LayerRegistry& registry) {
  registry.add(merge_entry("Maximum", [](const LayerOptions& options) { return layers::Maximum(options); }));
}

}  // namespace strata
