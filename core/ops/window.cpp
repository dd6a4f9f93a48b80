// SPDX-License-Identifier: Apache-2.0
#include "core/ops/window.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/ops/attributes.h"
#include "core/ops/window_walk.h"

namespace strata {
namespace {

std::vector<Dim> column(const Window& window, Dim WindowAxis::*member) {
  std::vector<Dim> values;
  for (const WindowAxis& axis : window) values.push_back(axis.*member);
  return values;
}

bool possible(const WindowAxis& axis) {
  return axis.size >= 1 && axis.stride >= 1 && axis.dilation >= 1 && axis.before >= 0 && axis.after >= 0;
}

/// The taps of position `at` that lie on an axis of n elements.
windows::Taps taps_at(const WindowAxis& axis, Dim at, Dim n) {
  const Dim start = at * axis.stride - axis.before;
  const Dim first = start >= 0 ? 0 : (-start + axis.dilation - 1) / axis.dilation;
  const Dim end = start >= n ? 0 : std::min(axis.size, (n - 1 - start) / axis.dilation + 1);
  return {first, start + first * axis.dilation, std::max<Dim>(end - first, 0)};
}

}  // namespace

WindowAxis same_padded(WindowAxis axis, Dim n) {
  if (n == None) return axis;
  const Dim count = (n + axis.stride - 1) / axis.stride;
  const Dim total = std::max<Dim>((count - 1) * axis.stride + axis.span() - n, 0);
  axis.before = total / 2;
  axis.after = total - axis.before;
  return axis;
}

namespace windows {

std::string text(const Window& window) {
  return "size=" + list_text(column(window, &WindowAxis::size)) +
         " stride=" + list_text(column(window, &WindowAxis::stride)) +
         " dilation=" + list_text(column(window, &WindowAxis::dilation)) +
         " before=" + list_text(column(window, &WindowAxis::before)) +
         " after=" + list_text(column(window, &WindowAxis::after));
}

void check(const char* op, const Window& window, const Shape& x) {
  if (window.empty() || window.size() > 3 || x.rank() != static_cast<int>(window.size()) + 2) {
    throw ShapeError(std::string(op) +
                     ": expected a window of 1 to 3 axes over a tensor (batch, spatial..., channels)" +
                     ", received a window of " + std::to_string(window.size()) + " axes over shape " + x.str());
  }
  if (!std::all_of(window.begin(), window.end(), possible)) {
    throw ShapeError(std::string(op) +
                     ": expected size, stride and dilation of at least 1 and padding of at least 0, received " +
                     text(window));
  }
}

void check_pooling(const char* op, const Window& window, const TensorSpec& x) {
  if (!is_floating(x.dtype)) throw DtypeError(std::string(op) + ": expected a floating dtype, received " + x.str());
  check(op, window, x.shape);
  const auto pools = [](const WindowAxis& a) { return a.dilation == 1 && a.before < a.size && a.after < a.size; };
  if (std::all_of(window.begin(), window.end(), pools)) return;
  throw ShapeError(std::string(op) + ": expected dilation 1 and padding smaller than the window's size, received " +
                   text(window));
}

Shape positions_shape(const char* op, const Window& window, const Shape& x, Dim channels) {
  std::vector<Dim> spatial;
  for (std::size_t i = 0; i < window.size(); ++i) {
    const Dim n = x[static_cast<int>(i) + 1];
    spatial.push_back(window[i].positions(n));
    if (spatial.back() == 0) {
      throw ShapeError(std::string(op) + ": expected at least " +
                       std::to_string(window[i].span() - window[i].before - window[i].after) +
                       " elements along spatial axis " + std::to_string(i) + ", received shape " + x.str() +
                       " and the window " + text(window));
    }
  }
  return with_spatial(x[0], spatial, channels);
}

void check_positions(const char* op, const Window& window, const Shape& y, const std::vector<Dim>& spatial) {
  const bool counted = spatial.size() == window.size();
  for (std::size_t i = 0; i < window.size(); ++i) {
    if (counted && dims_fit(window[i].positions(spatial[i]), y[static_cast<int>(i) + 1])) continue;
    throw ShapeError(std::string(op) + ": expected the shape of windows over " + list_text(spatial) +
                     " spatial elements, received " + y.str() + " and the window " + text(window));
  }
}

Shape with_spatial(Dim batch, const std::vector<Dim>& spatial, Dim channels) {
  std::vector<Dim> dims{batch};
  dims.insert(dims.end(), spatial.begin(), spatial.end());
  dims.push_back(channels);
  return Shape(std::move(dims));
}

std::vector<Dim> spatial_of(const Shape& x) { return {x.begin() + 1, x.end() - 1}; }

Walk::Walk(const Window& window, const Shape& x) : batch_(x[0]), in_{1, 1, 1} {
  const std::size_t missing = 3 - window.size();
  for (std::size_t i = 0; i < 3; ++i) {
    if (i >= missing) {
      axes_[i] = window[i - missing];
      in_[i] = x[static_cast<int>(i - missing) + 1];
    }
    const WindowAxis& axis = axes_[i];
    const Dim count = axis.positions(in_[i]);
    for (Dim at = 0; at < count; ++at) taps_[i].push_back(taps_at(axis, at, in_[i]));
    if (i == 2) continue;  // not an axis of rows
    const bool contiguous = axis.dilation == 1 || axis.size == 1;
    disjoint_rows_ = disjoint_rows_ && (count < 2 || axis.size == 1 || (contiguous && axis.stride >= axis.size));
    covers_all_rows_ = covers_all_rows_ && contiguous && axis.stride <= axis.size &&
                       (count - 1) * axis.stride - axis.before + axis.size >= in_[i];
  }
}

}  // namespace windows
}  // namespace strata
