// SPDX-License-Identifier: Apache-2.0
// Masks that travel with tensors from layer to layer, in eager calls and in the bodies of call(), as Keras'
// tensor._keras_mask does. (In a graph of layers the calls themselves know their masks.)
#pragma once

#include <vector>

#include "core/tensor/tensor.h"

namespace strata {

/// The mask that the layer which made `tensor` has given it; an empty handle when there is none. Tensors carry masks
/// only on the thread that made them.
Tensor carried_mask(const Tensor& tensor);
/// Gives `tensor` a mask until the outermost CarriedMaskScope ends. An empty one changes nothing.
void carry_mask(const Tensor& tensor, const Tensor& mask);

/// One call of a layer: what is left of its masks when the outermost of this thread ends are those of kept tensors.
class CarriedMaskScope {
 public:
  CarriedMaskScope();
  ~CarriedMaskScope();
  CarriedMaskScope(const CarriedMaskScope&) = delete;
  CarriedMaskScope& operator=(const CarriedMaskScope&) = delete;
  /// In the outermost scope: the masks of those tensors that have values last for as long as they do.
  void keep(const std::vector<Tensor>& tensors) const;
};

}  // namespace strata
