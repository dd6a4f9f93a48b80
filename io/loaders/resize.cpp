// SPDX-License-Identifier: Apache-2.0
#include "io/loaders/resize.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace strata::loaders {
namespace {

struct Weight {
  Dim lower, upper;
  float lerp;
};

/// What any interpolation gives when the size stays.
void copy_pixels(const Picture& picture, float* to) {
  const Dim values = picture.width * picture.channels;
  for (Dim y = 0; y < picture.height; ++y) {
    const std::uint8_t* row = picture.pixels + y * picture.stride;
    to = std::transform(row, row + values, to, [](std::uint8_t pixel) { return static_cast<float>(pixel); });
  }
}

std::vector<Weight> weights(Dim from, Dim to) {
  const float scale = static_cast<float>(from) / static_cast<float>(to);
  std::vector<Weight> all;
  for (Dim i = 0; i < to; ++i) {
    const float at = (static_cast<float>(i) + 0.5F) * scale - 0.5F, below = std::floor(at);
    all.push_back({std::max<Dim>(static_cast<Dim>(below), 0), std::min<Dim>(static_cast<Dim>(std::ceil(at)), from - 1),
                   at - below});
  }
  return all;
}

}  // namespace

Picture cropped_to(const Picture& picture, Dim height, Dim width) {
  const auto scaled = [](Dim a, Dim b, Dim c) {
    return static_cast<Dim>(static_cast<float>(a * b) / static_cast<float>(c));
  };
  const Dim crop_height = std::min(picture.height, scaled(picture.width, height, width));
  const Dim crop_width = std::min(picture.width, scaled(picture.height, width, height));
  const Dim top = static_cast<Dim>(static_cast<float>(picture.height - crop_height) / 2);
  const Dim left = static_cast<Dim>(static_cast<float>(picture.width - crop_width) / 2);
  return {picture.pixels + top * picture.stride + left * picture.channels, std::max<Dim>(crop_height, 1),
          std::max<Dim>(crop_width, 1), picture.channels, picture.stride};
}

void resize_bilinear(const Picture& picture, Dim height, Dim width, float* to) {
  if (picture.height == height && picture.width == width) return copy_pixels(picture, to);
  const auto rows = weights(picture.height, height), columns = weights(picture.width, width);
  for (const Weight& y : rows) {
    const std::uint8_t *upper = picture.pixels + y.lower * picture.stride,
                       *lower = picture.pixels + y.upper * picture.stride;
    for (const Weight& x : columns) {
      for (Dim c = 0; c < picture.channels; ++c) {
        const Dim left = x.lower * picture.channels + c, right = x.upper * picture.channels + c;
        const auto value = [](std::uint8_t pixel) { return static_cast<float>(pixel); };
        const float top = value(upper[left]) + (value(upper[right]) - value(upper[left])) * x.lerp;
        const float bottom = value(lower[left]) + (value(lower[right]) - value(lower[left])) * x.lerp;
        *to++ = top + (bottom - top) * y.lerp;
      }
    }
  }
}

void resize_nearest(const Picture& picture, Dim height, Dim width, float* to) {
  if (picture.height == height && picture.width == width) return copy_pixels(picture, to);
  const auto nearest = [](Dim i, Dim from, Dim size) {
    const float scale = static_cast<float>(from) / static_cast<float>(size);
    return std::min(static_cast<Dim>(std::floor((static_cast<float>(i) + 0.5F) * scale)), from - 1);
  };
  for (Dim y = 0; y < height; ++y) {
    const std::uint8_t* row = picture.pixels + nearest(y, picture.height, height) * picture.stride;
    for (Dim x = 0; x < width; ++x) {
      const std::uint8_t* pixel = row + nearest(x, picture.width, width) * picture.channels;
      for (Dim c = 0; c < picture.channels; ++c) *to++ = static_cast<float>(pixel[c]);
    }
  }
}

}  // namespace strata::loaders
