// SPDX-License-Identifier: Apache-2.0
// A short training run of one layer, for comparing ranks and blocks.
#pragma once

#include <functional>
#include <vector>

#include "core/model/layer.h"

namespace strata::testing {

/// All losses and weights of three steps on batches of seven samples with the layer that `make` makes on every rank,
/// for inputs of these shapes but for their batch. Before it are layers with weights of their own.
std::vector<float> train_layer(const std::function<LayerRef()>& make, const std::vector<Shape>& inputs, int ranks,
                               Dim blocks);

}  // namespace strata::testing
