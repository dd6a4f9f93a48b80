// SPDX-License-Identifier: Apache-2.0
// Reshape: another shape for each sample.
#pragma once

#include "core/model/layer.h"

namespace strata::layers {

/// Input (batch, ...); output (batch,) + target_shape, with the same elements in row-major order. One dimension of
/// target_shape may be -1 (None): it is computed. Throws ShapeError when the numbers of elements differ, ConfigError
/// for more than one -1.
class Reshape : public LayerRef {
 public:
  explicit Reshape(const Shape& target_shape, const LayerOptions& options = {});
};

}  // namespace strata::layers
