// SPDX-License-Identifier: Apache-2.0
#include "layers/multiply.h"

#include "layers/merge.h"

namespace strata {
namespace {

class MultiplyLayer final : public MergeLayer {
 public:
  using MergeLayer::MergeLayer;
  std::string class_name() const override { return "Multiply"; }

 protected:
  Tensor merge(const std::vector<Tensor>& inputs, const std::vector<Tensor>& masks) const override {
    Tensor product, counts;
    bool all_masked = true;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Tensor& mask = masks[i];
      const Tensor factor = mask ? ops::select(mask, inputs[i], scalar(1, inputs[i].dtype())) : inputs[i];
      product = product ? product * factor : factor;
      all_masked = all_masked && mask;
      if (all_masked) counts = counts ? ops::logical_or(counts, mask) : mask;
    }
    return all_masked ? ops::select(counts, product, scalar(0, product.dtype())) : product;
  }
};

}  // namespace

layers::Multiply::Multiply(const LayerOptions& options) : LayerRef(std::make_shared<MultiplyLayer>(options)) {}

Tensor layers::multiply(const std::vector<Tensor>& inputs, const LayerOptions& options) {
  return Multiply(options)(inputs);
}

void register_multiply(LayerRegistry& registry) {
  registry.add(merge_entry("Multiply", [](const LayerOptions& options) { return layers::Multiply(options); }));
}

}  // namespace strata
