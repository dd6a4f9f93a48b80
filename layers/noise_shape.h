// SPDX-License-Identifier: Apache-2.0
// The `noise_shape` of layers that drop out: the shape that random numbers are drawn in.
#pragma once

#include "core/base/config.h"
#include "core/ops/ops.h"

namespace strata {

/// Broadcasts to the input; None = the input's size; without axes = the input's shape. A value type.
class NoiseShape {
 public:
  /// Throws ConfigError for a dimension of 0.
  explicit NoiseShape(Shape given);

  /// The shape for this input. Throws ShapeError naming `layer` ("Dropout dropout") when it does not broadcast.
  Shape of(const Shape& input, const std::string& layer) const;
  /// The key for a draw of that shape: what all samples share must not depend on which of them a block begins with.
  RandomKey key(const RandomKey& key) const;
  Config config() const { return given_.rank() > 0 ? Config(given_) : Config(); }

 private:
  Shape given_;
};

}  // namespace strata
