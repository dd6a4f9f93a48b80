// SPDX-License-Identifier: Apache-2.0
// Plain loops over positions, taps and channels: the oracle of the other candidates, and the only kernels for float64.
#include <algorithm>

#include "core/ops/convolution_op.h"

namespace strata {
namespace {

/// Channels of one group, and how tensors are laid out: x (elements, groups * in), y (positions, groups * out),
/// kernel (taps, in, groups * out).
struct Channels {
  Dim groups, in, out;

  Dim x(Dim element, Dim group) const { return (element * groups + group) * in; }
  Dim y(Dim position, Dim group) const { return (position * groups + group) * out; }
  Dim kernel(Dim tap, Dim i, Dim group) const { return ((tap * in + i) * groups + group) * out; }
};

/// y += x kernel for one position and tap.
template <class T>
STRATA_INLINE void add_forward(const Channels& c, const T* x, const T* kernel, T* y, Dim kernel_row) {
  for (Dim i = 0; i < c.in; ++i) {
    const T factor = x[i];
    const T* row = kernel + i * kernel_row;
#pragma GCC ivdep
    for (Dim o = 0; o < c.out; ++o) y[o] += factor * row[o];
  }
}

/// x += kernel y.
template <class T>
STRATA_INLINE void add_backward_data(const Channels& c, T* x, const T* kernel, const T* y, Dim kernel_row) {
  for (Dim i = 0; i < c.in; ++i) {
    const T* row = kernel + i * kernel_row;
    T sum = 0;
    for (Dim o = 0; o < c.out; ++o) sum += row[o] * y[o];
    x[i] += sum;
  }
}

/// kernel += x y'.
template <class T>
STRATA_INLINE void add_backward_weights(const Channels& c, const T* x, T* kernel, const T* y, Dim kernel_row) {
  for (Dim i = 0; i < c.in; ++i) {
    const T factor = x[i];
    T* row = kernel + i * kernel_row;
#pragma GCC ivdep
    for (Dim o = 0; o < c.out; ++o) row[o] += factor * y[o];
  }
}

enum class Direction { forward, backward_data, backward_weights };

/// Adds to y, x or kernel what the other two say.
template <Direction D, class X, class K, class Y>
STRATA_SIMD_CLONES void convolve(const windows::Walk& walk, const Channels& c, X* x, K* kernel, Y* y) {
  const Dim kernel_row = c.groups * c.out;
  walk.visit_positions([&](Dim position, const windows::Walk::Position& at) __attribute__((always_inline)) {
    at.visit_taps([&](Dim tap, Dim element) __attribute__((always_inline)) {
      for (Dim g = 0; g < c.groups; ++g) {
        X* x_at = x + c.x(element, g);
        K* kernel_at = kernel + c.kernel(tap, 0, g);
        Y* y_at = y + c.y(position, g);
        if constexpr (D == Direction::forward) add_forward(c, x_at, kernel_at, y_at, kernel_row);
        else if constexpr (D == Direction::backward_data) add_backward_data(c, x_at, kernel_at, y_at, kernel_row);
        else add_backward_weights(c, x_at, kernel_at, y_at, kernel_row);
      }
    });
  });
}

template <Direction D, class T>
std::shared_ptr<const Kernel> make_reference(const Convolved& convolved, const Shape& x, const Shape& y,
                                             const TensorSpec& output, const ProductEpilogue& epilogue) {
  const Channels channels{convolved.groups, x.back() / convolved.groups, y.back() / convolved.groups};
  return make_kernel([walk = windows::Walk(convolved.window, x), channels, elements = output.shape.elements(),
                      n = output.shape.back(), bias = epilogue.bias,
                      loop = epilogue.loop(output.dtype)](const KernelArgs& args) {
    T* result = args.output<T>();
    const T* first = args.input<T>(0);
    const T* second = args.input<T>(1);
    std::fill_n(result, elements, T{0});
    if constexpr (D == Direction::forward) convolve<D>(walk, channels, first, second, result);
    else if constexpr (D == Direction::backward_data) convolve<D>(walk, channels, result, second, first);
    else convolve<D>(walk, channels, first, result, second);
    if (elements > 0) apply_epilogue<T>(result, bias ? args.input<T>(2) : nullptr, loop, elements / n, n);
  });
}

template <Direction D>
Prepared prepare(const Convolved& convolved, const Shape& x, const Shape& y, const TensorSpec& output,
                 const ProductEpilogue& epilogue = {}) {
  if (output.dtype == Dtype::float64) return make_reference<D, double>(convolved, x, y, output, epilogue);
  return make_reference<D, float>(convolved, x, y, output, epilogue);
}

}  // namespace

Prepared prepare_convolution_reference(const KernelRequest& request) {
  const auto& op = dynamic_cast<const ConvolutionOp&>(request.op);
  return prepare<Direction::forward>(op.convolved(), request.inputs[0].shape, request.outputs[0].shape,
                                     request.outputs[0], op.epilogue());
}

Prepared prepare_convolution_backward_data_reference(const KernelRequest& request) {
  const auto& op = dynamic_cast<const ConvolutionBackwardDataOp&>(request.op);
  return prepare<Direction::backward_data>(op.convolved(), request.outputs[0].shape, request.inputs[0].shape,
                                           request.outputs[0], op.epilogue());
}

Prepared prepare_convolution_backward_weights_reference(const KernelRequest& request) {
  const auto& op = dynamic_cast<const ConvolutionBackwardWeightsOp&>(request.op);
  return prepare<Direction::backward_weights>(op.convolved(), request.inputs[0].shape, request.inputs[1].shape,
                                              request.outputs[0]);
}

}  // namespace strata
