// SPDX-License-Identifier: Apache-2.0
// GlobalAveragePooling3D: the mean over three spatial axes.
#pragma once

#include "layers/global_pooling.h"

namespace strata::layers {

/// Input (batch, depth, height, width, channels); output (batch, channels), or (batch, 1, 1, 1, channels) with
/// keepdims. With data_format "channels_first" the channels come right after the batch. Throws ConfigError for
/// arguments that Keras refuses; when called, ShapeError for an input of another rank.
class GlobalAveragePooling3D : public LayerRef {
 public:
  explicit GlobalAveragePooling3D(const GlobalPoolingOptions& options = {});
};
using GlobalAvgPool3D = GlobalAveragePooling3D;

}  // namespace strata::layers
