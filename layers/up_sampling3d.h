// SPDX-License-Identifier: Apache-2.0
// UpSampling3D: enlarging three spatial axes.
#pragma once

#include "layers/up_sampling.h"

namespace strata::layers {

/// Enlarges each spatial axis `size` times, by repeating elements. Input (batch, depth, height, width, channels);
/// output (batch, depth', height', width', channels). With data_format "channels_first" the channels come right
/// after the batch. Throws ConfigError for arguments that Keras refuses; when called, ShapeError for an input of
/// another rank.
class UpSampling3D : public LayerRef {
 public:
  explicit UpSampling3D(const Sizes& size = 2, const UpSampling3DOptions& options = {});
};

}  // namespace strata::layers
