// SPDX-License-Identifier: Apache-2.0
// Windows that move over the spatial axes of a tensor (batch, spatial..., channels): what convolution and pooling have
// in common.
#pragma once

#include <string>
#include <vector>

#include "core/base/shape.h"

namespace strata {

/// A window along one spatial axis. Position o covers the elements o * stride - before + t * dilation for
/// 0 <= t < size; elements outside of the axis are padding.
struct WindowAxis {
  Dim size = 1;
  Dim stride = 1;
  Dim dilation = 1;
  Dim before = 0;  // padding
  Dim after = 0;

  /// Elements from the first that a position covers to the last.
  constexpr Dim span() const { return (size - 1) * dilation + 1; }
  /// Positions on an axis of n elements, floor((n + before + after - span) / stride) + 1; at least 0. Unknown when n
  /// is.
  constexpr Dim positions(Dim n) const {
    if (n == None) return None;
    const Dim room = n + before + after - span();
    return room < 0 ? 0 : room / stride + 1;
  }
  friend bool operator==(const WindowAxis&, const WindowAxis&) = default;
};

/// One entry a spatial axis: 1 to 3.
using Window = std::vector<WindowAxis>;

/// Sets the padding so that there are ceil(n / stride) positions, the odd element of padding at the end: TensorFlow's
/// "SAME". An unknown n gives no padding; the number of positions is unknown then too.
WindowAxis same_padded(WindowAxis axis, Dim n);

}  // namespace strata
