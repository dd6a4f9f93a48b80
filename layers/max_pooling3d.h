// SPDX-License-Identifier: Apache-2.0
// MaxPooling3D: the maximum of each window over three spatial axes.
#pragma once

#include "layers/pooling.h"

namespace strata::layers {

/// The maximum of each window of pool_size elements, see ops::max_pool. Input (batch, depth, height, width,
/// channels); output (batch, depth', height', width', channels). With data_format "channels_first" the channels
/// come right after the batch. Throws ConfigError for arguments that Keras refuses; when called, ShapeError for an
/// input of another rank or nothing left.
class MaxPooling3D : public LayerRef {
 public:
  explicit MaxPooling3D(const Sizes& pool_size = 2, const PoolingOptions& options = {});
};
using MaxPool3D = MaxPooling3D;

}  // namespace strata::layers
