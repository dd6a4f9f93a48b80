// SPDX-License-Identifier: Apache-2.0
// TimeDistributed: the same layer at every time step.
#pragma once

#include <optional>
#include <string>

#include "core/model/layer.h"

namespace strata::layers {

struct TimeDistributedOptions {
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

/// Applies `layer`, which has one input and one output, to every slice of axis 1. Input (batch, time, ...); output
/// (batch, time) + what the layer gives for (batch, ...). A mask (batch, time, ...) is cut likewise.
///
/// All time steps go through the layer at once, as further samples, when that is the same function. It is not when the
/// layer draws random numbers, adds losses or updates variables; then the steps follow each other.
/// Throws ShapeError for an input or a mask with too few axes.
class TimeDistributed : public LayerRef {
 public:
  explicit TimeDistributed(const LayerRef& layer, const TimeDistributedOptions& options = {});
};

}  // namespace strata::layers
