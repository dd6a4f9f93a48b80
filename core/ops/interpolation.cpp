// SPDX-License-Identifier: Apache-2.0
#include "core/ops/interpolation.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/base/error.h"
#include "core/base/simd.h"
#include "core/ops/registry.h"

namespace strata {
namespace {

/// What both directions have in common.
class InterpolateBase : public Op {
 public:
  InterpolateBase(int axis, Dim factor, Interpolation kind) : axis_(axis), factor_(factor), kind_(kind) {}
  std::string attributes() const override {
    constexpr const char* kNames[] = {"linear", "cubic", "lanczos3", "lanczos5"};
    return "axis=" + std::to_string(axis_) + " factor=" + std::to_string(factor_) +
           " kind=" + kNames[static_cast<int>(kind_)];
  }
  int axis() const { return axis_; }
  Dim factor() const { return factor_; }
  Interpolation kind() const { return kind_; }

 protected:
  void check(const TensorSpec& x) const {
    if (!is_floating(x.dtype)) {
      throw DtypeError(std::string(name()) + ": expected a floating dtype, received " + x.str());
    }
    if (axis_ >= 0 && axis_ < x.shape.rank() && factor_ >= 1) return;
    throw ShapeError(std::string(name()) + ": expected an axis of " + x.shape.str() +
                     " and a factor of at least 1, received " + attributes());
  }

 private:
  int axis_;
  Dim factor_;
  Interpolation kind_;
};

class InterpolateOp final : public InterpolateBase {
 public:
  using InterpolateBase::InterpolateBase;
  std::string_view name() const override { return "interpolate"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    check(inputs[0]);
    const Shape& x = inputs[0].shape;
    const Dim n = x[axis()];
    return {{x.with(axis(), n == None ? None : n * factor()), inputs[0].dtype}};
  }
  std::vector<Gradient> gradient(const GradientArgs& args) const override {
    return {{ops::interpolate_backward(args.grad(), axis(), factor(), kind()), {}}};
  }
};

class InterpolateBackwardOp final : public InterpolateBase {
 public:
  using InterpolateBase::InterpolateBase;
  std::string_view name() const override { return "interpolate_backward"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    check(inputs[0]);
    const Shape& grad = inputs[0].shape;
    const Dim n = grad[axis()];
    if (n != None && n % factor() != 0) {
      throw ShapeError("interpolate_backward: expected a multiple of " + std::to_string(factor()) +
                       " elements along axis " + std::to_string(axis()) + ", received " + grad.str());
    }
    return {{grad.with(axis(), n == None ? None : n / factor()), inputs[0].dtype}};
  }
  std::vector<Gradient> gradient(const GradientArgs& args) const override {
    return {{ops::interpolate(args.grad(), axis(), factor(), kind()), {}}};
  }
};

/// sin(pi d) / (pi d).
double sinc(double d) {
  if (d == 0.0) return 1.0;
  return d == std::floor(d) ? 0.0 : std::sin(std::numbers::pi * d) / (std::numbers::pi * d);
}

double radius(Interpolation kind) {
  switch (kind) {
    case Interpolation::linear: return 1.0;
    case Interpolation::cubic: return 2.0;
    case Interpolation::lanczos3: return 3.0;
    case Interpolation::lanczos5: return 5.0;
  }
  return 0.0;
}

double weight(Interpolation kind, double d) {
  if (d >= radius(kind)) return 0.0;
  switch (kind) {
    case Interpolation::linear: return 1.0 - d;
    case Interpolation::cubic: return d < 1.0 ? (1.5 * d - 2.5) * d * d + 1.0 : ((2.5 - 0.5 * d) * d - 4.0) * d + 2.0;
    case Interpolation::lanczos3:
    case Interpolation::lanczos5: return sinc(d) * sinc(d / radius(kind));
  }
  return 0.0;
}

/// What an element of the smaller tensor adds to one of the larger.
struct Share {
  Dim large, small;
  double factor;
};

/// All shares of an axis, by elements of the larger tensor. An element that counts nothing has none, so that infinity
/// stays where it is.
std::vector<Share> shares(Interpolation kind, Dim n, Dim factor) {
  std::vector<Share> all;
  for (Dim o = 0; o < n * factor; ++o) {
    const double at = (static_cast<double>(o) + 0.5) / static_cast<double>(factor) - 0.5;
    const Dim first = std::max<Dim>(static_cast<Dim>(std::ceil(at - radius(kind))), 0);
    const Dim last = std::min(static_cast<Dim>(std::floor(at + radius(kind))), n - 1);
    const std::size_t begin = all.size();
    double sum = 0.0;
    for (Dim i = first; i <= last; ++i) {
      const double share = weight(kind, std::abs(at - static_cast<double>(i)));
      if (share != 0.0) all.push_back({o, i, share});
      sum += share;
    }
    for (std::size_t i = begin; i < all.size(); ++i) all[i].factor /= sum;
  }
  return all;
}

template <class T>
STRATA_SIMD_CLONES void add_share(const T* from, T factor, T* to, Dim n) {
#pragma GCC ivdep
  for (Dim i = 0; i < n; ++i) to[i] += from[i] * factor;
}

/// A tensor as (outer, n, inner), the axis in the middle; n as the smaller tensor has it.
struct Plan {
  Plan(const InterpolateBase& op, const Shape& small)
      : outer(small.slice(0, op.axis()).elements()),
        inner(small.slice(op.axis() + 1, small.rank()).elements()),
        small_block(small[op.axis()] * inner),
        large_block(small_block * op.factor()),
        all(shares(op.kind(), small[op.axis()], op.factor())) {}
  Dim outer, inner, small_block, large_block;
  std::vector<Share> all;
};

template <class T, bool Backward>
void run(const Plan& plan, const T* from, T* to) {
  const Dim from_block = Backward ? plan.large_block : plan.small_block;
  const Dim to_block = Backward ? plan.small_block : plan.large_block;
  std::fill_n(to, plan.outer * to_block, T{0});
  for (Dim b = 0; b < plan.outer; ++b, from += from_block, to += to_block) {
    for (const auto& [large, small, factor] : plan.all) {
      add_share(from + (Backward ? large : small) * plan.inner, static_cast<T>(factor),
                to + (Backward ? small : large) * plan.inner, plan.inner);
    }
  }
}

template <bool Backward>
Prepared prepare(const KernelRequest& request) {
  const auto& op = dynamic_cast<const InterpolateBase&>(request.op);
  const Plan plan(op, Backward ? request.outputs[0].shape : request.inputs[0].shape);
  const auto make = [&]<class T>(TypeTag<T>) {
    return make_kernel([plan](const KernelArgs& args) { run<T, Backward>(plan, args.input<T>(0), args.output<T>()); });
  };
  return request.outputs[0].dtype == Dtype::float64 ? make(TypeTag<double>{}) : make(TypeTag<float>{});
}

using Function = Tensor (*)(const Tensor& x, int axis, Dim factor, Interpolation kind);

/// Examples of one direction; shapes are those of the smaller tensor.
std::vector<OpExample> examples(Function function, bool backward) {
  std::vector<OpExample> all;
  const auto add = [&](std::string label, const Shape& small, int axis, Dim factor, Interpolation kind) {
    const Shape shape = backward ? small.with(axis, small[axis] * factor) : small;
    const auto build = [=](const std::vector<Tensor>& x) { return std::vector{function(x[0], axis, factor, kind)}; };
    all.push_back({std::move(label), {{{shape}}}, build});
  };
  add("by two", {2, 3, 4}, 1, 2, Interpolation::linear);
  add("by three, last axis", {2, 5}, 1, 3, Interpolation::linear);
  add("one element", {1, 3}, 0, 4, Interpolation::linear);
  add("by one", {3, 2}, 0, 1, Interpolation::linear);
  add("cubic", {2, 5, 3}, 1, 2, Interpolation::cubic);
  add("cubic by three", {1, 3, 2}, 1, 3, Interpolation::cubic);
  add("lanczos3", {7, 2}, 0, 2, Interpolation::lanczos3);
  add("lanczos5 on few elements", {1, 2, 3}, 1, 5, Interpolation::lanczos5);
  return all;
}

}  // namespace

Tensor ops::interpolate(const Tensor& x, int axis, Dim factor, Interpolation kind) {
  return apply_one(std::make_shared<InterpolateOp>(axis, factor, kind), {x});
}

Tensor ops::interpolate_backward(const Tensor& grad, int axis, Dim factor, Interpolation kind) {
  return apply_one(std::make_shared<InterpolateBackwardOp>(axis, factor, kind), {grad});
}

void register_interpolation(OpRegistry& registry) {
  registry.add({"interpolate", {{"reference", "cpu", prepare<false>}}, examples(&ops::interpolate, false)});
  registry.add(
      {"interpolate_backward", {{"reference", "cpu", prepare<true>}}, examples(&ops::interpolate_backward, true)});
}

}  // namespace strata
