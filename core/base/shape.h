// SPDX-License-Identifier: Apache-2.0
// Shapes, any dimension of which may be unknown while a model is being defined.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace strata {

using Dim = std::int64_t;

/// An unknown dimension, written as Keras writes it: `Input({None, None, 3})`.
inline constexpr Dim None = -1;

/// The sizes of a tensor's axes, outermost first. A value type.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<Dim> dims) : dims_(dims) { check(); }
  explicit Shape(std::vector<Dim> dims) : dims_(std::move(dims)) { check(); }

  int rank() const { return static_cast<int>(dims_.size()); }
  Dim operator[](int axis) const { return dims_[static_cast<std::size_t>(axis)]; }
  Dim back() const { return dims_.back(); }
  std::span<const Dim> dims() const { return dims_; }
  auto begin() const { return dims_.begin(); }
  auto end() const { return dims_.end(); }

  bool is_known() const;
  /// Product of the dimensions, 1 for a scalar. Throws ShapeError when a dimension is unknown.
  Dim elements() const;
  /// As Python prints it: "(None, 64)", "(3,)", "()".
  std::string str() const;

  /// A copy with dimension `axis` (0 <= axis < rank) replaced.
  Shape with(int axis, Dim dim) const;
  /// Dimensions [first, last).
  Shape slice(int first, int last) const;
  /// This shape followed by `tail`.
  Shape concat(const Shape& tail) const;

  friend bool operator==(const Shape&, const Shape&) = default;

 private:
  void check() const;
  std::vector<Dim> dims_;
};

/// Whether two dimensions could be equal: unknown fits everything.
constexpr bool dims_fit(Dim a, Dim b) { return a == b || a == None || b == None; }
/// Whether two shapes could be equal once every dimension is known.
bool shapes_fit(const Shape& a, const Shape& b);

/// Makes a negative axis count from the end. `what` names the caller in the ShapeError thrown when it is out of range.
int normalize_axis(int axis, int rank, const char* what);

/// NumPy's broadcasting of two shapes; unknown against 1 or unknown stays unknown, unknown against n > 1 gives n.
/// `what` names the caller in the ShapeError thrown when the shapes do not fit.
Shape broadcast_shapes(const Shape& a, const Shape& b, const char* what);

}  // namespace strata
