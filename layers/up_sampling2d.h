// SPDX-License-Identifier: Apache-2.0
// UpSampling2D: enlarging two spatial axes.
#pragma once

#include "layers/up_sampling.h"

namespace strata::layers {

/// Enlarges each spatial axis `size` times, by repeating or interpolating elements. Input (batch, height, width,
/// channels); output (batch, height', width', channels). With data_format "channels_first" the channels come right
/// after the batch. Throws ConfigError for arguments that Keras refuses; when called, ShapeError for an input of
/// another rank.
class UpSampling2D : public LayerRef {
 public:
  explicit UpSampling2D(const Sizes& size = 2, const UpSampling2DOptions& options = {});
};

}  // namespace strata::layers
