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

  /// The positions in a row along the last axis: all have the same taps along the other axes.
  struct Line {
    const Walk* walk;
    Dim batch;
    Taps z, y;

    /// Calls visit(tap, element) for every row of taps on the tensor, in order: its number among the window's rows, and
    /// the index of the row's first element among (batch, spatial...), whether or not the window covers that one.
    template <class Visit>
    STRATA_INLINE void visit_rows(Visit visit) const {
      const auto& in = walk->in_;
      const auto& axes = walk->axes_;
      for (Dim i = 0; i < z.count; ++i) {
        const Dim tz = z.first_tap + i;
        const Dim ez = batch * in[0] + z.first_element + i * axes[0].dilation;
        for (Dim j = 0; j < y.count; ++j) {
          visit(tz * axes[1].size + y.first_tap + j, (ez * in[1] + y.first_element + j * axes[1].dilation) * in[2]);
        }
      }
    }
    Dim rows() const { return z.count * y.count; }
  };

  struct Position {
    Line line;
    Taps x;

    /// Calls visit(tap, element) for every tap on the tensor, in order: its index among the window's, and the index of
    /// its element among (batch, spatial...).
    template <class Visit>
    STRATA_INLINE void visit_taps(Visit visit) const {
      const WindowAxis& axis = line.walk->axes_[2];
      line.visit_rows([&](Dim row, Dim element) __attribute__((always_inline)) {
        for (Dim k = 0; k < x.count; ++k) {
          visit(row * axis.size + x.first_tap + k, element + x.first_element + k * axis.dilation);
        }
      });
    }
  };

  /// Calls visit(line) for every row of positions, in order.
  template <class Visit>
  STRATA_INLINE void visit_lines(Visit visit) const {
    for (Dim b = 0; b < batch_; ++b) {
      for (const Taps& z : taps_[0]) {
        for (const Taps& y : taps_[1]) visit(Line{this, b, z, y});
      }
    }
  }

  /// Calls visit(position, taps) for every position, in order: its index among (batch, positions...) and where
  /// it is.
  template <class Visit>
  STRATA_INLINE void visit_positions(Visit visit) const {
    Dim position = 0;
    visit_lines([&](const Line& line) __attribute__((always_inline)) {
      for (const Taps& x : taps_[2]) visit(position++, Position{line, x});
    });
  }

  /// The taps of each position of a line along the last axis.
  const std::vector<Taps>& last_axis() const { return taps_[2]; }
  /// How many elements the last axis has.
  Dim row_elements() const { return in_[2]; }
  /// (batch, spatial...) elements that the window moves over.
  Dim elements() const { return batch_ * in_[0] * in_[1] * in_[2]; }
  /// Whether no row along the last axis is covered by two lines.
  bool disjoint_rows() const { return disjoint_rows_; }
  /// Whether every row is covered, by however little of a line.
  bool covers_all_rows() const { return covers_all_rows_; }

 private:
  Dim batch_;
  std::array<Dim, 3> in_;
  std::array<WindowAxis, 3> axes_;
  std::array<std::vector<Taps>, 3> taps_;
  bool disjoint_rows_ = true;
  bool covers_all_rows_ = true;
};

}  // namespace strata::windows
