// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/ops/max_pool_kernel.h"
#include "core/ops/ops.h"
#include "core/ops/pooling.h"
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

/// One of the functions of max_pool_kernel.h on the op's window.
template <Prepared (*Kernels)(const Window&, const KernelRequest&)>
Prepared prepare(const KernelRequest& request) {
  return Kernels(dynamic_cast<const MaxPoolBase&>(request.op).window(), request);
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
  registry.add({"max_pool", {{"reference", "cpu", prepare<prepare_max_pool>}}, std::move(forward)});
  registry.add({"max_pool_backward", {{"reference", "cpu", prepare<prepare_max_pool_backward>}}, std::move(backward)});
  registry.add({"max_pool_select", {{"reference", "cpu", prepare<prepare_max_pool_select>}}, std::move(select)});
}

}  // namespace strata
