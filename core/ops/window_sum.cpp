// SPDX-License-Identifier: Apache-2.0
// Sums over windows, whole or divided by the number of their elements, and the transposed of that.
#include <algorithm>

#include "core/base/error.h"
#include "core/ops/attributes.h"
#include "core/ops/ops.h"
#include "core/ops/pooling.h"
#include "core/ops/registry.h"
#include "core/ops/window_walk.h"

namespace strata {
namespace {

/// The sum (or with `average` the mean) of each window, without its padding.
class WindowSumOp final : public Op {
 public:
  WindowSumOp(Window window, bool average) : window_(std::move(window)), average_(average) {}
  std::string_view name() const override { return "window_sum"; }
  std::string attributes() const override { return windows::text(window_) + " average=" + (average_ ? "1" : "0"); }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    windows::check_pooling("window_sum", window_, inputs[0]);
    const Shape& x = inputs[0].shape;
    return {{windows::positions_shape("window_sum", window_, x, x.back()), inputs[0].dtype}};
  }
  std::vector<Gradient> gradient(const GradientArgs& args) const override;

  const Window& window() const { return window_; }
  bool average() const { return average_; }

 private:
  Window window_;
  bool average_;
};

/// Adds each position's value (or with `average` its share) to all elements of its window.
class WindowSpreadOp final : public Op {
 public:
  WindowSpreadOp(Window window, std::vector<Dim> spatial, bool average)
      : window_(std::move(window)), spatial_(std::move(spatial)), average_(average) {}
  std::string_view name() const override { return "window_spread"; }
  std::string attributes() const override {
    return windows::text(window_) + " spatial=" + list_text(spatial_) + " average=" + (average_ ? "1" : "0");
  }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    windows::check_pooling("window_spread", window_, inputs[0]);
    const Shape& grad = inputs[0].shape;
    windows::check_positions("window_spread", window_, grad, spatial_);
    return {{windows::with_spatial(grad[0], spatial_, grad.back()), inputs[0].dtype}};
  }
  std::vector<Gradient> gradient(const GradientArgs& args) const override {
    return {{apply_one(std::make_shared<WindowSumOp>(window_, average_), {args.grad()}), {}}};
  }

  const Window& window() const { return window_; }
  bool average() const { return average_; }

 private:
  Window window_;
  std::vector<Dim> spatial_;
  bool average_;
};

std::vector<Gradient> WindowSumOp::gradient(const GradientArgs& args) const {
  const auto spread = std::make_shared<WindowSpreadOp>(window_, windows::spatial_of(args.input().shape()), average_);
  return {{apply_one(spread, {args.grad()}), {}}};
}

using windows::Walk;

// Both kernels go through the windows of a line by rows of the tensor, and only then along the last axis: loops over
// whole rows are long where those over channels may be short.

template <class T>
STRATA_SIMD_CLONES void sum_kernel(const Walk& walk, Dim channels, bool average, const T* x, T* sums, T* out) {
  const Dim row = walk.row_elements() * channels;
  walk.visit_lines([&](const Walk::Line& line) __attribute__((always_inline)) {
    std::fill_n(sums, row, T{0});
    line.visit_rows([&](Dim, Dim element) __attribute__((always_inline)) {
      const T* from = x + element * channels;
#pragma GCC ivdep
      for (Dim i = 0; i < row; ++i) sums[i] += from[i];
    });
    for (const windows::Taps& at : walk.last_axis()) {
      const auto count = static_cast<T>(average ? line.rows() * at.count : 1);
      const T* from = sums + at.first_element * channels;
      std::copy_n(from, channels, out);
      for (Dim k = 1; k < at.count; ++k) {
#pragma GCC ivdep
        for (Dim c = 0; c < channels; ++c) out[c] += from[k * channels + c];
      }
#pragma GCC ivdep
      for (Dim c = 0; c < channels; ++c) out[c] /= count;
      out += channels;
    }
  });
}

template <class T, bool Disjoint>
STRATA_SIMD_CLONES void spread_kernel(const Walk& walk, Dim channels, bool average, const T* grad, T* sums, T* out) {
  const Dim row = walk.row_elements() * channels;
  walk.visit_lines([&](const Walk::Line& line) __attribute__((always_inline)) {
    std::fill_n(sums, row, T{0});
    for (const windows::Taps& at : walk.last_axis()) {
      const T share = T{1} / static_cast<T>(average ? line.rows() * at.count : 1);
      for (Dim k = 0; k < at.count; ++k) {
        T* to = sums + (at.first_element + k) * channels;
#pragma GCC ivdep
        for (Dim c = 0; c < channels; ++c) to[c] += grad[c] * share;
      }
      grad += channels;
    }
    line.visit_rows([&](Dim, Dim element) __attribute__((always_inline)) {
      T* to = out + element * channels;
#pragma GCC ivdep
      for (Dim i = 0; i < row; ++i) to[i] = sums[i] + (Disjoint ? T{0} : to[i]);
    });
  });
}

template <class T>
void spread(const Walk& walk, Dim channels, bool average, const T* grad, T* sums, T* out) {
  if (!walk.disjoint_rows() || !walk.covers_all_rows()) std::fill_n(out, walk.elements() * channels, T{0});
  const auto kernel = walk.disjoint_rows() ? &spread_kernel<T, true> : &spread_kernel<T, false>;
  kernel(walk, channels, average, grad, sums, out);
}

/// A kernel from one of the two, over windows on `x`.
template <class T, class Op>
std::shared_ptr<const Kernel> make(const Op& op, const Shape& x,
                                   void (*run)(const Walk&, Dim, bool, const T*, T*, T*)) {
  const Walk walk(op.window(), x);
  const auto bytes = static_cast<std::size_t>(walk.row_elements() * x.back()) * sizeof(T);
  return make_kernel(
      [=, channels = x.back(), average = op.average()](const KernelArgs& args) {
        run(walk, channels, average, args.input<T>(0), static_cast<T*>(args.scratch), args.output<T>());
      },
      bytes);
}

Prepared prepare_sum(const KernelRequest& request) {
  const auto& op = dynamic_cast<const WindowSumOp&>(request.op);
  const Shape& x = request.inputs[0].shape;
  if (request.outputs[0].dtype == Dtype::float64) return make<double>(op, x, &sum_kernel<double>);
  return make<float>(op, x, &sum_kernel<float>);
}

Prepared prepare_spread(const KernelRequest& request) {
  const auto& op = dynamic_cast<const WindowSpreadOp&>(request.op);
  const Shape& x = request.outputs[0].shape;
  if (request.outputs[0].dtype == Dtype::float64) return make<double>(op, x, &spread<double>);
  return make<float>(op, x, &spread<float>);
}

/// Examples of average_pool, or of its gradient.
std::vector<OpExample> average_examples(bool backward) {
  const WindowAxis two{.size = 2, .stride = 2}, overlapping{.size = 3, .stride = 2, .before = 1, .after = 1};
  std::vector<OpExample> all;
  const auto add = [&](std::string label, const Shape& x, const Window& window) {
    const Shape y = windows::positions_shape("example", window, x, x.back());
    const auto build = [=, spatial = windows::spatial_of(x)](const std::vector<Tensor>& in) {
      return std::vector<Tensor>{backward ? ops::average_pool_backward(in[0], window, spatial)
                                          : ops::average_pool(in[0], window)};
    };
    all.push_back({std::move(label), {{{backward ? y : x}}}, build});
  };
  add("two by two", {2, 4, 6, 3}, {two, two});
  add("elements left out", {1, 5, 5, 2}, {two, {.size = 2, .stride = 3}});
  add("overlapping and padded", {2, 5, 6, 2}, {overlapping, {.size = 3, .after = 2}});
  add("one axis", {2, 7, 3}, {{.size = 3, .stride = 3, .before = 1, .after = 1}});
  add("three axes", {1, 4, 3, 4, 3}, {two, {.size = 2}, two});
  return all;
}

OpExample upsample_example(std::string label, const Shape& x, const std::vector<Dim>& factors) {
  return {std::move(label), {{{x}}}, [factors](const std::vector<Tensor>& in) {
            return std::vector<Tensor>{ops::upsample(in[0], factors)};
          }};
}

}  // namespace

Tensor ops::average_pool(const Tensor& x, const Window& window) {
  return apply_one(std::make_shared<WindowSumOp>(window, true), {x});
}

Tensor ops::average_pool_backward(const Tensor& grad, const Window& window, const std::vector<Dim>& spatial) {
  return apply_one(std::make_shared<WindowSpreadOp>(window, spatial, true), {grad});
}

Tensor ops::upsample(const Tensor& x, const std::vector<Dim>& factors) {
  if (x.rank() != static_cast<int>(factors.size()) + 2) {
    throw ShapeError("upsample: expected a tensor (batch, spatial..., channels) with " +
                     std::to_string(factors.size()) + " spatial axes, received " + x.shape().str());
  }
  Window window;
  std::vector<Dim> spatial = windows::spatial_of(x.shape());
  for (std::size_t i = 0; i < factors.size(); ++i) {
    window.push_back({.size = factors[i], .stride = factors[i]});
    if (spatial[i] != None) spatial[i] *= factors[i];
  }
  return apply_one(std::make_shared<WindowSpreadOp>(std::move(window), std::move(spatial), false), {x});
}

void register_window_sum(OpRegistry& registry) {
  registry.add({"window_sum", {{"reference", "cpu", prepare_sum}}, average_examples(false)});
  std::vector<OpExample> spread_examples = average_examples(true);
  spread_examples.push_back(upsample_example("upsampled", {2, 3, 2, 2}, {2, 3}));
  spread_examples.push_back(upsample_example("upsampled on one axis", {2, 5, 3}, {3}));
  registry.add({"window_spread", {{"reference", "cpu", prepare_spread}}, std::move(spread_examples)});
}

}  // namespace strata
