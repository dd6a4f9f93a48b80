// SPDX-License-Identifier: Apache-2.0
// ZeroPadding2D: zeros around two spatial axes.
#pragma once

#include "layers/spatial_edges.h"

namespace strata::layers {

/// Zeros are added at both ends of the spatial axes. `padding`: `1`, `{1, 2}` (a number for each axis) or `{{1, 2},
/// {3, 4}}` (before and after). Input (batch, height, width, channels); output (batch, height', width', channels).
/// With data_format "channels_first" the channels come right after the batch. Throws ConfigError for arguments that
/// Keras refuses; when called, ShapeError for an input of another rank.
class ZeroPadding2D : public LayerRef {
 public:
  explicit ZeroPadding2D(const SizePairs& padding = 1, const ZeroPaddingOptions& options = {});
};

}  // namespace strata::layers
