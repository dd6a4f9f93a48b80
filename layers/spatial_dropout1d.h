// SPDX-License-Identifier: Apache-2.0
// SpatialDropout1D: dropping out whole feature maps over a spatial axis.
#pragma once

#include "layers/spatial_dropout.h"

namespace strata::layers {

/// Dropout that sets all positions of a channel of a sample to 0 together (Tompson et al., 2014). Input (batch, steps,
/// channels); output: the input's shape. Throws ConfigError for arguments that Keras refuses; when called, ShapeError
/// for an input of another rank.
class SpatialDropout1D : public LayerRef {
 public:
  explicit SpatialDropout1D(double rate, const RandomLayerOptions& options = {});
};

}  // namespace strata::layers
