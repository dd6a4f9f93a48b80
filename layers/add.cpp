// SPDX-License-Identifier: Apache-2.0
#include "layers/add.h"

#include "layers/merge.h"

namespace strata {
namespace {

class AddLayer final : public MergeLayer {
 public:
  using MergeLayer::MergeLayer;
  std::string class_name() const override { return "Add"; }

 protected:
  Tensor merge(const std::vector<Tensor>& inputs, const std::vector<Tensor>&) const override {
    Tensor sum = inputs[0];
    for (std::size_t i = 1; i < inputs.size(); ++i) sum = sum + inputs[i];
    return sum;
  }
};

}  // namespace

layers::Add::Add(const LayerOptions& options) : LayerRef(std::make_shared<AddLayer>(options)) {}

Tensor layers::add(const std::vector<Tensor>& inputs, const LayerOptions& options) { return Add(options)(inputs); }

void register_add(LayerRegistry& registry) {
  registry.add(merge_entry("Add", [](const LayerOptions& options) { return layers::Add(options); }));
}

}  // namespace strata
