// SPDX-License-Identifier: Apache-2.0
// Cropping1D: taking away at the ends of one spatial axis.
#pragma once

#include "layers/spatial_edges.h"

namespace strata::layers {

/// Elements are taken away at both ends of the time axis. `cropping`: one number for both ends or {before, after}.
/// Input (batch, steps, channels); output (batch, steps', channels). Throws ConfigError for arguments that Keras
/// refuses; when called, ShapeError for an input of another rank, or when nothing would be left.
class Cropping1D : public LayerRef {
 public:
  explicit Cropping1D(const Sizes& cropping = 1, const LayerOptions& options = {});
};

}  // namespace strata::layers
