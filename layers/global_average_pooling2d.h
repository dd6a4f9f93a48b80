// SPDX-License-Identifier: Apache-2.0
// GlobalAveragePooling2D: the mean over two spatial axes.
#pragma once

#include "layers/global_pooling.h"

namespace strata::layers {

/// Input (batch, height, width, channels); output (batch, channels), or (batch, 1, 1, channels) with keepdims. With
/// data_format "channels_first" the channels come right after the batch. Throws ConfigError for arguments that
/// Keras refuses; when called, ShapeError for an input of another rank.
class GlobalAveragePooling2D : public LayerRef {
 public:
  explicit GlobalAveragePooling2D(const GlobalPoolingOptions& options = {});
};
using GlobalAvgPool2D = GlobalAveragePooling2D;

}  // namespace strata::layers
