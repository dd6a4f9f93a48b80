// SPDX-License-Identifier: Apache-2.0
// Dropout: regularisation by leaving out.
#pragma once

#include <optional>

#include "core/model/layer.h"

namespace strata::layers {

struct DropoutOptions {
  /// The shape of the random mask, broadcast to the input; None = as the input. Empty = the input's shape.
  Shape noise_shape = {};
  /// Instead of the session's seed.
  std::optional<std::int64_t> seed = {};
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

/// In training sets each element to 0 with probability `rate` and multiplies the others by 1 / (1 - rate); otherwise
/// the identity. The choice depends on seed, step, layer call and global sample index only (Srivastava et al., 2014).
/// Output: the input's shape. Throws ConfigError unless 0 <= rate <= 1, ShapeError when noise_shape does not fit.
class Dropout : public LayerRef {
 public:
  explicit Dropout(double rate, const DropoutOptions& options = {});
};

}  // namespace strata::layers
