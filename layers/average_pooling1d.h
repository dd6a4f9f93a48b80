// SPDX-License-Identifier: Apache-2.0
// AveragePooling1D: the mean of each window over one spatial axis.
#pragma once

#include "layers/pooling.h"

namespace strata::layers {

/// The mean of each window of pool_size elements, see ops::average_pool. Input (batch, steps, channels); output
/// (batch, steps', channels). With data_format "channels_first" the channels come right after the batch. Throws
/// ConfigError for arguments that Keras refuses; when called, ShapeError for an input of another rank or nothing
/// left.
class AveragePooling1D : public LayerRef {
 public:
  explicit AveragePooling1D(const Sizes& pool_size = 2, const PoolingOptions& options = {});
};
using AvgPool1D = AveragePooling1D;

}  // namespace strata::layers
