// SPDX-License-Identifier: Apache-2.0
#include "layers/noise_shape.h"

#include "core/base/error.h"

namespace strata {

NoiseShape::NoiseShape(Shape given) : given_(std::move(given)) {
  for (int axis = 0; axis < given_.rank(); ++axis) {
    if (given_[axis] != 0) continue;
    throw ConfigError(
        "Invalid value received for argument `noise_shape`. Expected all dimensions to be positive integers or None. "
        "Received negative or zero value at index " +
        std::to_string(axis) + ": 0");
  }
}

Shape NoiseShape::of(const Shape& input, const std::string& layer) const {
  Shape noise = given_;
  if (noise.rank() == 0) return input;
  if (noise.rank() != input.rank()) {
    throw ShapeError(layer + ": expected a noise_shape of rank " + std::to_string(input.rank()) +
                     " for an input of shape " + input.str() + ", received " + noise.str());
  }
  for (int axis = 0; axis < noise.rank(); ++axis) {
    if (noise[axis] == None) noise = noise.with(axis, input[axis]);
    if (noise[axis] != 1 && !dims_fit(noise[axis], input[axis])) {
      throw ShapeError(layer + ": noise_shape " + noise.str() + " does not broadcast to the input's shape " +
                       input.str());
    }
  }
  return noise;
}

RandomKey NoiseShape::key(const RandomKey& key) const {
  if (given_.rank() == 0 || given_[0] != 1) return key;
  return {ops::concatenate({ops::slice(key.state, {0}, {2}), constant<std::int64_t>({0}, {1})}, 0), key.stream};
}

}  // namespace strata
