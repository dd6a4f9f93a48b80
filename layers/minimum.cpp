// SPDX-License-Identifier: Apache-2.0
#include "layers/minimum.h"

#include "layers/extremum.h"

namespace strata {
namespace {

class MinimumLayer final : public ExtremumLayer {
 public:
  explicit MinimumLayer(const LayerOptions& options) : ExtremumLayer(ops::minimum, options) {}
  std::string class_name() const override { return "Minimum"; }
};

}  // namespace

layers::Minimum::Minimum(const LayerOptions& options) : LayerRef(std::make_shared<MinimumLayer>(options)) {}

Tensor layers::minimum(const std::vector<Tensor>& inputs, const LayerOptions& options) {
  return Minimum(options)(inputs);
}

void register_minimum(LayerRegistry& registry) {
  registry.add(merge_entry("Minimum", [](const LayerOptions& options) { return layers::Minimum(options); }));
}

}  // namespace strata
