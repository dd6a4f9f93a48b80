// SPDX-License-Identifier: Apache-2.0
// GlobalMaxPooling3D: the maximum over three spatial axes.
#pragma once

#include "layers/global_pooling.h"

namespace strata::layers {

/// Input (batch, depth, height, width, channels); output (batch, channels), or (batch, 1, 1, 1, channels) with
/// keepdims. With data_format "channels_first" the channels come right after the batch. Throws ConfigError for
/// arguments that Keras refuses; when called, ShapeError for an input of another rank.
class GlobalMaxPooling3D : public LayerRef {
 public:
  explicit GlobalMaxPooling3D(const GlobalPoolingOptions& options = {});
};
using GlobalMaxPool3D = GlobalMaxPooling3D;

}  // namespace strata::layers
