// SPDX-License-Identifier: Apache-2.0
// SpatialDropout3D: dropping out whole feature maps over three spatial axes.
#pragma once

#include "layers/spatial_dropout.h"

namespace strata::layers {

/// Dropout that sets all positions of a channel of a sample to 0 together (Tompson et al., 2014). Input (batch, depth,
/// height, width, channels); output: the input's shape. With data_format "channels_first" the channels come right after
/// the batch. Throws ConfigError for arguments that Keras refuses; when called, ShapeError for an input of another
/// rank.
class SpatialDropout3D : public LayerRef {
 public:
  explicit SpatialDropout3D(double rate, const SpatialDropoutOptions& options = {});
};

}  // namespace strata::layers
