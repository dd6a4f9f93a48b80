// SPDX-License-Identifier: Apache-2.0
// MaxPooling2D: the maximum of each window over two spatial axes.
#pragma once

#include "layers/pooling.h"

namespace strata::layers {

/// The maximum of each window of pool_size elements, see ops::max_pool. Input (batch, height, width, channels);
/// output (batch, height', width', channels). With data_format "channels_first" the channels come right after the
/// batch. Throws ConfigError for arguments that Keras refuses; when called, ShapeError for an input of another rank
/// or nothing left.
class MaxPooling2D : public LayerRef {
 public:
  explicit MaxPooling2D(const Sizes& pool_size = 2, const PoolingOptions& options = {});
};
using MaxPool2D = MaxPooling2D;

}  // namespace strata::layers
