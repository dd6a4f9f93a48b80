// SPDX-License-Identifier: Apache-2.0
// Internal to loaders: pictures in another size, with the numbers of tf.image.resize.
#pragma once

#include <cstdint>

#include "core/base/shape.h"

namespace strata::loaders {

/// A part of a picture of `channels` values a pixel, whose rows are `stride` values apart.
struct Picture {
  const std::uint8_t* pixels;
  Dim height, width, channels, stride;
};

/// The largest part of the shape height : width, in the middle, as Keras' crop_to_aspect_ratio cuts it.
Picture cropped_to(const Picture& picture, Dim height, Dim width);

/// Between the centres of pixels, without antialiasing: to (height, width, channels) at `to`.
void resize_bilinear(const Picture& picture, Dim height, Dim width, float* to);
void resize_nearest(const Picture& picture, Dim height, Dim width, float* to);

}  // namespace strata::loaders
