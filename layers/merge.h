// SPDX-License-Identifier: Apache-2.0
// What the layers that combine several tensors have in common.
#pragma once

#include "core/model/layer.h"
#include "layers/registry.h"

namespace strata {

/// Combines tensors element by element. Checks that the inputs have equal batches and shapes that broadcast, and gives
/// inputs of lower rank axes of size 1 behind the batch.
class MergeLayer : public Layer {
 public:
  explicit MergeLayer(LayerOptions options = {}) : Layer(std::move(options)) { set_supports_masking(); }
  std::vector<Tensor> call_many(const std::vector<Tensor>& inputs, CallContext& context) override;
  /// A time step counts when it counts in any input; no mask when any input has none (Keras 3).
  std::vector<Tensor> compute_mask(const std::vector<Tensor>& inputs, const std::vector<Tensor>& masks,
                                   CallContext& context) override;

 protected:
  /// All inputs have the same rank and broadcast. `masks` has one for each input, with a last axis of size 1 for the
  /// features, or an empty handle; as in Keras 3 inputs that were given axes have none.
  virtual Tensor merge(const std::vector<Tensor>& inputs, const std::vector<Tensor>& masks) const = 0;
};

/// "[(None, 3), (None, 4)]".
std::string shapes_text(const std::vector<Tensor>& tensors);

/// The registry entry of a MergeLayer without arguments of its own.
LayerEntry merge_entry(const std::string& class_name, const std::function<LayerRef(const LayerOptions&)>& make);

}  // namespace strata
