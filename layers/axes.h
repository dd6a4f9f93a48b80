// SPDX-License-Identifier: Apache-2.0
// Arguments that name one axis or several.
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <vector>

#include "core/base/config.h"
#include "core/base/shape.h"

namespace strata {

/// One axis or a list of them: `-1`, `{1, 2}`, `{}`. Negative ones count from the end. A value type.
class Axes {
 public:
  template <std::integral I>
  Axes(I axis) : axes_{static_cast<int>(axis)}, list_(false) {}  // NOLINT(google-explicit-constructor)
  Axes(std::initializer_list<int> axes) : axes_(axes) {}         // NOLINT(google-explicit-constructor)
  explicit Axes(std::vector<int> axes) : axes_(std::move(axes)) {}

  /// As they were given.
  const std::vector<int>& given() const { return axes_; }
  /// Counted from 0, ascending. Throws ShapeError "Axis 3 is out of bounds for input shape (None, 5). ..."
  std::vector<int> within(const Shape& shape) const;
  /// The sizes of the axes in ascending order of the numbers as given: the shape that Keras gives weights over them.
  /// Throws as within().
  Shape sizes(const Shape& shape) const;
  /// `shape` with all axes but these set to 1: what a weight over them is reshaped to.
  Shape kept(const Shape& shape) const;

  /// "-1", "[1, 2]".
  std::string text() const { return config().to_json(); }
  Config config() const;
  /// A number or a list of numbers. Throws ConfigError for anything else.
  static Axes from_config(const Config& config);

 private:
  int position(int axis, const Shape& shape) const;

  std::vector<int> axes_;
  bool list_ = true;
};

/// The axes of a tensor of `rank` axes that are not among `axes` (counted from 0), ascending.
std::vector<int> other_axes(const std::vector<int>& axes, int rank);

}  // namespace strata
