// SPDX-License-Identifier: Apache-2.0
// Activation: an activation function as a layer of its own.
#pragma once

#include "core/model/layer.h"
#include "layers/activations.h"

namespace strata::layers {

/// y = activation(x). Output: the input's shape; floating inputs only. For the functions see strata::Activation.
class Activation : public LayerRef {
 public:
  explicit Activation(const strata::Activation& activation, const LayerOptions& options = {});
};

}  // namespace strata::layers
