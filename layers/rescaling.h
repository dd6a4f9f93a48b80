// SPDX-License-Identifier: Apache-2.0
// Rescaling: inputs in another range.
#pragma once

#include "core/model/layer.h"
#include "layers/numbers.h"

namespace strata::layers {

struct RescalingOptions {
  Numbers offset = 0.0;
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

/// x * scale + offset, each a number or an array that broadcasts to x: `Rescaling(1.0 / 255)`. Input of any shape and
/// dtype (cast to the layer's); output: the input's shape. Throws ConfigError without a scale or an offset; when
/// called, ShapeError when an array does not broadcast.
class Rescaling : public LayerRef {
 public:
  explicit Rescaling(const Numbers& scale, const RescalingOptions& options = {});
};

}  // namespace strata::layers
