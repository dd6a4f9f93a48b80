// SPDX-License-Identifier: Apache-2.0
// Flatten: one axis for each sample.
#pragma once

#include "core/model/layer.h"

namespace strata::layers {

/// Input (batch, d1, ..., dn); output (batch, d1 * ... * dn), row-major, unknown where a dimension is. (batch,) becomes
/// (batch, 1).
class Flatten : public LayerRef {
 public:
  explicit Flatten(const LayerOptions& options = {});
};

}  // namespace strata::layers
