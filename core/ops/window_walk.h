// SPDX-License-Identifier: Apache-2.0
// Internal to the ops on windows: checks, shapes, and the order in which plain kernels visit positions and taps.
#pragma once

#include <array>

#include "core/base/simd.h"
#include "core/ops/vector_math.h"
#include "core/ops/window.h"
#include "core/tensor/tensor.h"

namespace strata::windows {

/// Throws ShapeError unless `x` has a batch axis, one axis for each of `window`, 1 to 3 of them, and channels, and the
/// window's numbers can be.
void check(const char* op, const Window& window, const Shape& x);

/// The same for pooling: also throws DtypeError unless `x` is floating, ShapeError unless the window has dilation 1 and
/// padding smaller than its size.
void check_pooling(const char* op, const Window& window, const TensorSpec& x);

/// (batch, positions..., channels) for x (batch, spatial..., ...). Throws ShapeError when an axis has no position.
Shape positions_shape(const char* op, const Window& window, const Shape& x, Dim channels);

/// Throws ShapeError unless windows over `spatial` elements (None = unknown) have the positions of `y`.
void check_positions(const char* op, const Window& window, const Shape& y, const std::vector<Dim>& spatial);

/// (batch, spatial..., channels).
Shape with_spatial(Dim batch, const std::vector<Dim>& spatial, Dim channels);
/// The spatial dimensions of (batch, spatial..., channels).
std::vector<Dim> spatial_of(const Shape& x);

/// "size=[2, 2] stride=[2, 2] dilation=[1, 1] before=[0, 0] after=[0, 0]".
std::string text(const Window& window);

/// The taps of one position along one axis that lie on the tensor: first_tap + i for i < count, on the elements
/// first_element + i * dilation.
struct Taps {
  Dim first_tap, first_element, count;
};

/// All positions of a window on tensors of known shape. Axes that the tensor lacks have one position and one tap.
class Walk {
 public:
  /// `x` (batch, spatial..., channels) is what the window moves over.
  Walk(const Window& window, const Shape& x);

  /// Calls visit(position, taps) for every position, in order: its index among (batch, positions...) and where
  /// it is.
  template <class Visit>
  STRATA_INLINE void visit_positions(Visit visit) const {
    Dim position = 0;
    for (Dim b = 0; b < batch_; ++b) {
      for (const Taps& z : taps_[0]) {
        for (const Taps& y : taps_[1]) {
          for (const Taps& x : taps_[2]) visit(position++, Position{this, b, z, y, x});
        }
      }
    }
  }

  struct Position {
    const Walk* walk;
    Dim batch;
    Taps z, y, x;

    /// Calls visit(tap, element) for every tap on the tensor, in order: its index among the window's, and the index of
    /// its element among (batch, spatial...).
    template <class Visit>
    STRATA_INLINE void visit_taps(Visit visit) const {
      const auto& in = walk->in_;
      const auto& axes = walk->axes_;
      for (Dim i = 0; i < z.count; ++i) {
        const Dim tz = z.first_tap + i;
        const Dim ez = batch * in[0] + z.first_element + i * axes[0].dilation;
        for (Dim j = 0; j < y.count; ++j) {
          const Dim ty = tz * axes[1].size + y.first_tap + j;
          const Dim ey = ez * in[1] + y.first_element + j * axes[1].dilation;
          const Dim tap = ty * axes[2].size + x.first_tap;
          const Dim element = ey * in[2] + x.first_element;
          for (Dim k = 0; k < x.count; ++k) visit(tap + k, element + k * axes[2].dilation);
        }
      }
    }
    /// How many taps are on the tensor, and the first of them.
    Dim count() const { return z.count * y.count * x.count; }
    Dim first_tap() const {
      return (z.first_tap * walk->axes_[1].size + y.first_tap) * walk->axes_[2].size + x.first_tap;
    }
  };

  /// (batch, spatial...) elements that the window moves over.
  Dim elements() const { return batch_ * in_[0] * in_[1] * in_[2]; }
  /// Whether no element is covered by two positions.
  bool disjoint() const { return disjoint_; }
  /// Whether every element is covered.
  bool covers_all() const { return covers_all_; }

 private:
  Dim batch_;
  std::array<Dim, 3> in_;
  std::array<WindowAxis, 3> axes_;
  std::array<std::vector<Taps>, 3> taps_;
  bool disjoint_ = true;
  bool covers_all_ = true;
};

}  // namespace strata::windows
