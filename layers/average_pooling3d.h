// SPDX-License-Identifier: Apache-2.0
// AveragePooling3D: the mean of each window over three spatial axes.
#pragma once

#include "layers/pooling.h"

namespace strata::layers {

/// The mean of each window of pool_size elements, see ops::average_pool. Input (batch, depth, height, width,
/// channels); output (batch, depth', height', width', channels). With data_format "channels_first" the channels
/// come right after the batch. Throws ConfigError for arguments that Keras refuses; when called, ShapeError for an
/// input of another rank or nothing left.
class AveragePooling3D : public LayerRef {
 public:
  explicit AveragePooling3D(const Sizes& pool_size = 2, const PoolingOptions& options = {});
};
using AvgPool3D = AveragePooling3D;

}  // namespace strata::layers
