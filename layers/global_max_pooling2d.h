// SPDX-License-Identifier: Apache-2.0
// GlobalMaxPooling2D: the maximum over two spatial axes.
#pragma once

#include "layers/global_pooling.h"

namespace strata::layers {

/// Input (batch, height, width, channels); output (batch, channels), or (batch, 1, 1, channels) with keepdims. With
/// data_format "channels_first" the channels come right after the batch. Throws ConfigError for arguments that
/// Keras refuses; when called, ShapeError for an input of another rank.
class GlobalMaxPooling2D : public LayerRef {
 public:
  explicit GlobalMaxPooling2D(const GlobalPoolingOptions& options = {});
};
using GlobalMaxPool2D = GlobalMaxPooling2D;

}  // namespace strata::layers
