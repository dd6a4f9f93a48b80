// SPDX-License-Identifier: Apache-2.0
// GlobalMaxPooling1D: the maximum over one spatial axis.
#pragma once

#include "layers/global_pooling.h"

namespace strata::layers {

/// Input (batch, steps, channels); output (batch, channels), or (batch, 1, channels) with keepdims. With
/// data_format "channels_first" the channels come right after the batch. Throws ConfigError for arguments that
/// Keras refuses; when called, ShapeError for an input of another rank.
class GlobalMaxPooling1D : public LayerRef {
 public:
  explicit GlobalMaxPooling1D(const GlobalPoolingOptions& options = {});
};
using GlobalMaxPool1D = GlobalMaxPooling1D;

}  // namespace strata::layers
