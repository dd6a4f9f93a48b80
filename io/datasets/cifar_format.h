// SPDX-License-Identifier: Apache-2.0
// Internal: images as CIFAR's binary files hold them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/shape.h"

namespace strata::datasets::cifar {

constexpr Dim kSide = 32, kColours = 3;
constexpr std::size_t kPixels = kSide * kSide, kImageBytes = kPixels * kColours;

/// From the planes of the colours to pixels of red, green and blue.
inline void interleave(const std::uint8_t* planes, std::uint8_t* pixels) {
  for (std::size_t i = 0; i < kPixels; ++i) {
    for (std::size_t colour = 0; colour < kColours; ++colour)
      pixels[i * kColours + colour] = planes[colour * kPixels + i];
  }
}

}  // namespace strata::datasets::cifar
