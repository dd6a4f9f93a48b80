// SPDX-License-Identifier: Apache-2.0
#include "core/ops/interpolation.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/base/simd.h"
#include "core/ops/registry.h"

namespace strata {
namespace {

/// What both directions have in common.
class InterpolateBase : public Op {
 public:
  InterpolateBase(int axis, Dim factor) : axis_(axis), factor_(factor) {}
  std::string attributes() const override {
    return "axis=" + std::to_string(axis_) + " factor=" + std::to_string(factor_);
  }
  int axis() const { return axis_; }
  Dim factor() const { return factor_; }

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
    return {{ops::interpolate_backward(args.grad(), axis(), factor()), {}}};
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
    return {{ops::interpolate(args.grad(), axis(), factor()), {}}};
  }
};

/// Element o of the result is (1 - share) x[low] + share x[high].
struct Between {
  Dim low, high;
  double share;
};

std::vector<Between> positions(Dim n, Dim factor) {
  std::vector<Between> all;
  for (Dim o = 0; o < n * factor; ++o) {
    const double at = (static_cast<double>(o) + 0.5) / static_cast<double>(factor) - 0.5;
    const double floor = std::floor(at);
    const Dim low = static_cast<Dim>(floor);
    all.push_back({std::max<Dim>(low, 0), std::min(low + 1, n - 1), at - floor});
  }
  return all;
}

template <class T>
STRATA_SIMD_CLONES void interpolate_rows(const T* low, const T* high, T share, T* out, Dim n) {
#pragma GCC ivdep
  for (Dim i = 0; i < n; ++i) out[i] = low[i] + (high[i] - low[i]) * share;
}

template <class T>
STRATA_SIMD_CLONES void add_share(const T* grad, T share, T* out, Dim n) {
#pragma GCC ivdep
  for (Dim i = 0; i < n; ++i) out[i] += grad[i] * share;
}

/// A tensor as (outer, n, inner), the axis in the middle; n as the smaller tensor has it.
struct Plan {
  Plan(const InterpolateBase& op, const Shape& small)
      : outer(small.slice(0, op.axis()).elements()),
        n(small[op.axis()]),
        inner(small.slice(op.axis() + 1, small.rank()).elements()),
        between(positions(n, op.factor())) {}
  Dim outer, n, inner;
  std::vector<Between> between;
};

template <class T>
void interpolate(const Plan& plan, const T* x, T* out) {
  for (Dim b = 0; b < plan.outer; ++b, x += plan.n * plan.inner) {
    for (const auto& [low, high, share] : plan.between) {
      interpolate_rows(x + low * plan.inner, x + high * plan.inner, static_cast<T>(share), out, plan.inner);
      out += plan.inner;
    }
  }
}

template <class T>
void interpolate_backward(const Plan& plan, const T* grad, T* out) {
  std::fill_n(out, plan.outer * plan.n * plan.inner, T{0});
  for (Dim b = 0; b < plan.outer; ++b, out += plan.n * plan.inner) {
    for (const auto& [low, high, share] : plan.between) {
      add_share(grad, static_cast<T>(1 - share), out + low * plan.inner, plan.inner);
      add_share(grad, static_cast<T>(share), out + high * plan.inner, plan.inner);
      grad += plan.inner;
    }
  }
}

template <bool Backward>
Prepared prepare(const KernelRequest& request) {
  const auto& op = dynamic_cast<const InterpolateBase&>(request.op);
  const Plan plan(op, Backward ? request.outputs[0].shape : request.inputs[0].shape);
  const auto make = [&]<class T>(TypeTag<T>) {
    return make_kernel([plan](const KernelArgs& args) {
      if constexpr (Backward) interpolate_backward(plan, args.input<T>(0), args.output<T>());
      else interpolate(plan, args.input<T>(0), args.output<T>());
    });
  };
  return request.outputs[0].dtype == Dtype::float64 ? make(TypeTag<double>{}) : make(TypeTag<float>{});
}

OpExample example(std::string label, Shape shape, int axis, Dim factor,
                  Tensor (*function)(const Tensor& x, int axis, Dim factor)) {
  return {std::move(label), {{{std::move(shape)}}}, [=](const std::vector<Tensor>& x) {
            return std::vector<Tensor>{function(x[0], axis, factor)};
          }};
}

}  // namespace

Tensor ops::interpolate(const Tensor& x, int axis, Dim factor) {
  return apply_one(std::make_shared<InterpolateOp>(axis, factor), {x});
}

Tensor ops::interpolate_backward(const Tensor& grad, int axis, Dim factor) {
  return apply_one(std::make_shared<InterpolateBackwardOp>(axis, factor), {grad});
}

void register_interpolation(OpRegistry& registry) {
  const auto forward = &ops::interpolate;
  const auto backward = &ops::interpolate_backward;
  registry.add({"interpolate",
                {{"reference", "cpu", prepare<false>}},
                {example("by two", {2, 3, 4}, 1, 2, forward), example("by three, last axis", {2, 5}, 1, 3, forward),
                 example("one element", {1, 3}, 0, 4, forward), example("by one", {3, 2}, 0, 1, forward)}});
  registry.add({"interpolate_backward",
                {{"reference", "cpu", prepare<true>}},
                {example("by two", {2, 6, 4}, 1, 2, backward), example("by three, last axis", {2, 15}, 1, 3, backward),
                 example("one element", {4, 3}, 0, 4, backward)}});
}

}  // namespace strata
