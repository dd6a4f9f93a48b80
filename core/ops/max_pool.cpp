// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <limits>

#include "core/base/error.h"
#include "core/ops/ops.h"
#include "core/ops/pooling.h"
#include "core/ops/reduction_loops.h"
#include "core/ops/registry.h"
#include "core/ops/window_walk.h"

namespace strata {
namespace {

/// Base of the three ops: max_pool, max_pool_backward (x, grad) and max_pool_select (x, values).
class MaxPoolBase : public Op {
 public:
  explicit MaxPoolBase(Window window) : window_(std::move(window)) {}
  std::string attributes() const override { return windows::text(window_); }
  const Window& window() const { return window_; }

 protected:
  /// The shape of the positions of x, once everything is checked.
  Shape checked_positions(const TensorSpec& x) const {
    windows::check_pooling(name().data(), window_, x);
    return windows::positions_shape(name().data(), window_, x.shape, x.shape.back());
  }
  void check_operand(const TensorSpec& operand, const TensorSpec& expected) const {
    if (operand.dtype == expected.dtype && shapes_fit(operand.shape, expected.shape)) return;
    throw ShapeError(std::string(name()) + ": expected " + expected.str() + " as the second operand, received " +
                     operand.str());
  }

 private:
  Window window_;
};

class MaxPoolOp final : public MaxPoolBase {
 public:
  using MaxPoolBase::MaxPoolBase;
  std::string_view name() const override { return "max_pool"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    return {{checked_positions(inputs[0]), inputs[0].dtype}};
  }
  std::vector<Gradient> gradient(const GradientArgs& args) const override {
    return {{ops::max_pool_backward(args.input(), args.grad(), window()), {}}};
  }
};

// Which element is the maximum does not change with x, nearly everywhere: no gradient in x from these two.
class MaxPoolBackwardOp final : public MaxPoolBase {
 public:
  using MaxPoolBase::MaxPoolBase;
  std::string_view name() const override { return "max_pool_backward"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    check_operand(inputs[1], {checked_positions(inputs[0]), inputs[0].dtype});
    return {inputs[0]};
  }
  std::vector<Gradient> gradient(const GradientArgs& args) const override {
    return {{}, {ops::max_pool_select(args.input(0), args.grad(), window()), {}}};
  }
};

class MaxPoolSelectOp final : public MaxPoolBase {
 public:
  using MaxPoolBase::MaxPoolBase;
  std::string_view name() const override { return "max_pool_select"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    check_operand(inputs[1], inputs[0]);
    return {{checked_positions(inputs[0]), inputs[0].dtype}};
  }
  std::vector<Gradient> gradient(const GradientArgs& args) const override {
    return {{}, {ops::max_pool_backward(args.input(0), args.grad(), window()), {}}};
  }
};

using windows::Walk;

constexpr Dim kChannels = 64;  // taken at once; their maxima and taps stay in registers or the first-level cache

/// An integer as wide as T, so that comparing taps and choosing values take one vector width.
template <class T>
using TapOf = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

template <class T>
STRATA_SIMD_CLONES void max_pool_kernel(const Walk& walk, Dim channels, const T* x, T* out) {
  walk.visit_positions([&](Dim position, const Walk::Position& at) __attribute__((always_inline)) {
    T* best = out + position * channels;
    std::fill_n(best, channels, -std::numeric_limits<T>::infinity());
    at.visit_taps([&](Dim, Dim element) __attribute__((always_inline)) {
      const T* row = x + element * channels;
#pragma GCC ivdep
      for (Dim c = 0; c < channels; ++c) best[c] = MaxCombine::apply(best[c], row[c]);
    });
  });
}

/// The taps of the first maxima of `count` channels from `first` on.
template <class T>
STRATA_INLINE void find_maxima(const Walk::Position& at, const T* x, Dim channels, Dim first, Dim count,
                               TapOf<T>* taps) {
  T best[kChannels];
  std::fill_n(best, count, -std::numeric_limits<T>::infinity());
  std::fill_n(taps, count, static_cast<TapOf<T>>(at.first_tap()));
  at.visit_taps([&](Dim tap, Dim element) __attribute__((always_inline)) {
    const T* row = x + element * channels + first;
    const auto number = static_cast<TapOf<T>>(tap);
#pragma GCC ivdep
    for (Dim c = 0; c < count; ++c) {
      const bool larger = row[c] > best[c] || row[c] != row[c];  // as MaxCombine
      best[c] = larger ? row[c] : best[c];
      taps[c] = larger ? number : taps[c];
    }
  });
}

template <class T, bool Disjoint>
STRATA_SIMD_CLONES void max_pool_backward_kernel(const Walk& walk, Dim channels, const T* x, const T* grad, T* out) {
  walk.visit_positions([&](Dim position, const Walk::Position& at) __attribute__((always_inline)) {
    for (Dim first = 0; first < channels; first += kChannels) {
      const Dim count = std::min(kChannels, channels - first);
      TapOf<T> taps[kChannels];
      find_maxima(at, x, channels, first, count, taps);
      const T* g = grad + position * channels + first;
      at.visit_taps([&](Dim tap, Dim element) __attribute__((always_inline)) {
        T* row = out + element * channels + first;
        const auto number = static_cast<TapOf<T>>(tap);
#pragma GCC ivdep
        for (Dim c = 0; c < count; ++c) {
          const T share = taps[c] == number ? g[c] : T{0};
          row[c] = Disjoint ? share : row[c] + share;
        }
      });
    }
  });
}

template <class T>
STRATA_SIMD_CLONES void max_pool_select_kernel(const Walk& walk, Dim channels, const T* x, const T* values, T* out) {
  walk.visit_positions([&](Dim position, const Walk::Position& at) __attribute__((always_inline)) {
    for (Dim first = 0; first < channels; first += kChannels) {
      const Dim count = std::min(kChannels, channels - first);
      TapOf<T> taps[kChannels];
      find_maxima(at, x, channels, first, count, taps);
      T* selected = out + position * channels + first;
      std::fill_n(selected, count, T{0});
      at.visit_taps([&](Dim tap, Dim element) __attribute__((always_inline)) {
        const T* row = values + element * channels + first;
        const auto number = static_cast<TapOf<T>>(tap);
#pragma GCC ivdep
        for (Dim c = 0; c < count; ++c) selected[c] = taps[c] == number ? row[c] : selected[c];
      });
    }
  });
}

template <class T>
struct Forward {
  static void run(const Walk& walk, Dim channels, const KernelArgs& args) {
    max_pool_kernel<T>(walk, channels, args.input<T>(0), args.output<T>());
  }
};

template <class T>
struct Backward {
  static void run(const Walk& walk, Dim channels, const KernelArgs& args) {
    T* out = args.output<T>();
    if (!walk.disjoint() || !walk.covers_all()) std::fill_n(out, walk.elements() * channels, T{0});
    const auto kernel = walk.disjoint() ? &max_pool_backward_kernel<T, true> : &max_pool_backward_kernel<T, false>;
    kernel(walk, channels, args.input<T>(0), args.input<T>(1), out);
  }
};

template <class T>
struct Select {
  static void run(const Walk& walk, Dim channels, const KernelArgs& args) {
    max_pool_select_kernel<T>(walk, channels, args.input<T>(0), args.input<T>(1), args.output<T>());
  }
};

template <template <class> class Pass>
Prepared prepare(const KernelRequest& request) {
  const auto& op = dynamic_cast<const MaxPoolBase&>(request.op);
  const Shape& x = request.inputs[0].shape;
  const auto make = [&]<class T>(TypeTag<T>) {
    return make_kernel([walk = Walk(op.window(), x), channels = x.back()](const KernelArgs& args) {
      Pass<T>::run(walk, channels, args);
    });
  };
  return request.outputs[0].dtype == Dtype::float64 ? make(TypeTag<double>{}) : make(TypeTag<float>{});
}

struct Geometry {
  std::string label;
  Shape x;
  Window window;
};

std::vector<Geometry> geometries() {
  const WindowAxis two{.size = 2, .stride = 2}, overlapping{.size = 3, .stride = 2, .before = 1, .after = 1};
  return {{"two by two", {2, 4, 6, 3}, {two, two}},
          {"elements left out", {1, 5, 5, 2}, {two, {.size = 2, .stride = 3}}},
          {"overlapping and padded", {2, 5, 6, 2}, {overlapping, {.size = 3, .after = 2}}},
          {"one axis", {2, 7, 3}, {{.size = 3, .stride = 3, .before = 1, .after = 1}}},
          {"three axes", {1, 4, 3, 4, 3}, {two, {.size = 2}, two}},
          {"many channels", {2, 5, 4, 70}, {overlapping, two}}};
}

}  // namespace

Tensor ops::max_pool(const Tensor& x, const Window& window) {
  return apply_one(std::make_shared<MaxPoolOp>(window), {x});
}
Tensor ops::max_pool_backward(const Tensor& x, const Tensor& grad, const Window& window) {
  return apply_one(std::make_shared<MaxPoolBackwardOp>(window), {x, grad});
}
Tensor ops::max_pool_select(const Tensor& x, const Tensor& values, const Window& window) {
  return apply_one(std::make_shared<MaxPoolSelectOp>(window), {x, values});
}

void register_max_pool(OpRegistry& registry) {
  std::vector<OpExample> forward, backward, select;
  for (const auto& [label, x, window] : geometries()) {
    const Shape y = windows::positions_shape("example", window, x, x.back());
    forward.push_back({label, {{{x}}}, [window](const std::vector<Tensor>& in) {
                         return std::vector<Tensor>{ops::max_pool(in[0], window)};
                       }});
    backward.push_back({label, {{{x}}, {{y}}}, [window](const std::vector<Tensor>& in) {
                          return std::vector<Tensor>{ops::max_pool_backward(in[0], in[1], window)};
                        }});
    select.push_back({label, {{{x}}, {{x}}}, [window](const std::vector<Tensor>& in) {
                        return std::vector<Tensor>{ops::max_pool_select(in[0], in[1], window)};
                      }});
  }
  registry.add({"max_pool", {{"reference", "cpu", prepare<Forward>}}, std::move(forward)});
  registry.add({"max_pool_backward", {{"reference", "cpu", prepare<Backward>}}, std::move(backward)});
  registry.add({"max_pool_select", {{"reference", "cpu", prepare<Select>}}, std::move(select)});
}

}  // namespace strata
