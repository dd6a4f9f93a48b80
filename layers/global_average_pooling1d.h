// SPDX-License-Identifier: Apache-2.0
// GlobalAveragePooling1D: the mean over one spatial axis.
#pragma once

#include "layers/global_pooling.h"

namespace strata::layers {

/// Input (batch, steps, channels); output (batch, channels), or (batch, 1, channels) with keepdims. Steps that the
/// mask leaves out do not count; a mask of none gives NaN. With data_format "channels_first" the channels come
/// right after the batch. Throws ConfigError for arguments that Keras refuses; when called, ShapeError for an input
/// of another rank.
class GlobalAveragePooling1D : public LayerRef {
 public:
  explicit GlobalAveragePooling1D(const GlobalPoolingOptions& options = {});
};
using GlobalAvgPool1D = GlobalAveragePooling1D;

}  // namespace strata::layers
