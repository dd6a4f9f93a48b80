// SPDX-License-Identifier: Apache-2.0
#include "core/base/shape.h"

#include <algorithm>
#include <limits>

#include "core/base/error.h"

namespace strata {

void Shape::check() const {
  for (Dim d : dims_) {
    if (d < None) throw ShapeError("A dimension must be at least 0, or None; received shape " + str());
  }
}

bool Shape::is_known() const {
  return std::none_of(dims_.begin(), dims_.end(), [](Dim d) { return d == None; });
}

Dim Shape::elements() const {
  Dim n = 1;
  for (Dim d : dims_) {
    if (d == None) throw ShapeError("The number of elements of a shape with unknown dimensions is not known: " + str());
    if (d != 0 && n > std::numeric_limits<Dim>::max() / d) throw ShapeError("Too many elements in shape " + str());
    n *= d;
  }
  return n;
}

std::string Shape::str() const {
  std::string text = "(";
  for (std::size_t i = 0; i < dims_.size(); ++i) {
    if (i > 0) text += ", ";
    text += dims_[i] == None ? "None" : std::to_string(dims_[i]);
  }
  return text + (dims_.size() == 1 ? ",)" : ")");
}

Shape Shape::with(int axis, Dim dim) const {
  std::vector<Dim> dims = dims_;
  dims[static_cast<std::size_t>(axis)] = dim;
  return Shape(std::move(dims));
}

Shape Shape::slice(int first, int last) const {
  return Shape(std::vector<Dim>(dims_.begin() + first, dims_.begin() + last));
}

Shape Shape::concat(const Shape& tail) const {
  std::vector<Dim> dims = dims_;
  dims.insert(dims.end(), tail.begin(), tail.end());
  return Shape(std::move(dims));
}

bool shapes_fit(const Shape& a, const Shape& b) {
  return a.rank() == b.rank() && std::equal(a.begin(), a.end(), b.begin(), dims_fit);
}

int normalize_axis(int axis, int rank, const char* what) {
  if (axis < -rank || axis >= rank) {
    throw ShapeError(std::string(what) + ": axis must be in [" + std::to_string(-rank) + ", " + std::to_string(rank) +
                     ") for a tensor of rank " + std::to_string(rank) + ", received " + std::to_string(axis));
  }
  return axis < 0 ? axis + rank : axis;
}

Shape broadcast_shapes(const Shape& a, const Shape& b, const char* what) {
  const int rank = std::max(a.rank(), b.rank());
  std::vector<Dim> dims(static_cast<std::size_t>(rank));
  for (int i = 1; i <= rank; ++i) {
    const Dim da = i <= a.rank() ? a[a.rank() - i] : 1;
    const Dim db = i <= b.rank() ? b[b.rank() - i] : 1;
    if (!dims_fit(da, db) && da != 1 && db != 1) {
      throw ShapeError(std::string(what) + ": operands could not be broadcast together with shapes " + a.str() + " " +
                       b.str());
    }
    Dim& dim = dims[static_cast<std::size_t>(rank - i)];
    if (da == 1) dim = db;
    else if (db == 1 || db == None) dim = da;
    else dim = db;
  }
  return Shape(std::move(dims));
}

}  // namespace strata
