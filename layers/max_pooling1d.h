// SPDX-License-Identifier: Apache-2.0
// MaxPooling1D: the maximum of each window over one spatial axis.
#pragma once

#include "layers/pooling.h"

namespace strata::layers {

/// The maximum of each window of pool_size elements, see ops::max_pool. Input (batch, steps, channels); output
/// (batch, steps', channels). With data_format "channels_first" the channels come right after the batch. Throws
/// ConfigError for arguments that Keras refuses; when called, ShapeError for an input of another rank or nothing
/// left.
class MaxPooling1D : public LayerRef {
 public:
  explicit MaxPooling1D(const Sizes& pool_size = 2, const PoolingOptions& options = {});
};
using MaxPool1D = MaxPooling1D;

}  // namespace strata::layers
