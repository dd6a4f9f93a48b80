// SPDX-License-Identifier: Apache-2.0
// Cropping3D: taking away at the ends of three spatial axes.
#pragma once

#include "layers/spatial_edges.h"

namespace strata::layers {

/// Elements are taken away at both ends of the spatial axes. `cropping`: `1`, `{1, 2, 0}` (a number for each axis)
/// or `{{1, 2}, {3, 4}, {0, 1}}` (before and after). Input (batch, depth, height, width, channels); output (batch,
/// depth', height', width', channels). With data_format "channels_first" the channels come right after the batch.
/// Throws ConfigError for arguments that Keras refuses; when called, ShapeError for an input of another rank, or
/// when nothing would be left.
class Cropping3D : public LayerRef {
 public:
  explicit Cropping3D(const SizePairs& cropping = 1, const CroppingOptions& options = {});
};

}  // namespace strata::layers
