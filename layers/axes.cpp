// SPDX-License-Identifier: Apache-2.0
#include "layers/axes.h"

#include <algorithm>

#include "core/base/error.h"

namespace strata {

int Axes::position(int axis, const Shape& shape) const {
  if (axis >= -shape.rank() && axis < shape.rank()) return axis < 0 ? axis + shape.rank() : axis;
  throw ShapeError("Axis " + std::to_string(axis) + " is out of bounds for input shape " + shape.str() +
                   ". Received: axis=" + text());
}

std::vector<int> Axes::within(const Shape& shape) const {
  std::vector<int> result;
  for (const int axis : axes_) result.push_back(position(axis, shape));
  std::sort(result.begin(), result.end());
  return result;
}

Shape Axes::sizes(const Shape& shape) const {
  std::vector<int> ordered = axes_;
  std::sort(ordered.begin(), ordered.end());
  std::vector<Dim> dims;
  for (const int axis : ordered) dims.push_back(shape[position(axis, shape)]);
  return Shape(std::move(dims));
}

Shape Axes::kept(const Shape& shape) const {
  Shape result = shape;
  for (const int axis : other_axes(within(shape), shape.rank())) result = result.with(axis, 1);
  return result;
}

Config Axes::config() const {
  if (!list_) return axes_[0];
  Config::List list;
  for (const int axis : axes_) list.push_back(axis);
  return list;
}

Axes Axes::from_config(const Config& config) {
  if (config.is_int()) return config.as_int();
  std::vector<int> axes;
  for (const Config& axis : config.as_list()) axes.push_back(static_cast<int>(axis.as_int()));
  return Axes(std::move(axes));
}

std::vector<int> other_axes(const std::vector<int>& axes, int rank) {
  std::vector<int> others;
  for (int axis = 0; axis < rank; ++axis) {
    if (std::find(axes.begin(), axes.end(), axis) == axes.end()) others.push_back(axis);
  }
  return others;
}

}  // namespace strata
