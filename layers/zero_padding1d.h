// SPDX-License-Identifier: Apache-2.0
// ZeroPadding1D: zeros around one spatial axis.
#pragma once

#include "layers/spatial_edges.h"

namespace strata::layers {

/// Zeros are added at both ends of the time axis. `padding`: one number for both ends or {before, after}. Input
/// (batch, steps, channels); output (batch, steps', channels). With data_format "channels_first" the channels come
/// right after the batch. Throws ConfigError for arguments that Keras refuses; when called, ShapeError for an input
/// of another rank.
class ZeroPadding1D : public LayerRef {
 public:
  explicit ZeroPadding1D(const Sizes& padding = 1, const ZeroPaddingOptions& options = {});
};

}  // namespace strata::layers
