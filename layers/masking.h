// SPDX-License-Identifier: Apache-2.0
// Masking: tells the layers after it which time steps to skip.
#pragma once

#include <optional>
#include <string>

#include "core/model/layer.h"

namespace strata::layers {

struct MaskingOptions {
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

/// Skips the time steps of which every feature equals mask_value: the output is 0 there, and comes with the mask
/// any(x != mask_value) over the last axis. Input (batch, ..., features); output of the same shape, mask (batch, ...).
class Masking : public LayerRef {
 public:
  explicit Masking(double mask_value = 0.0, const MaskingOptions& options = {});
};

}  // namespace strata::layers
