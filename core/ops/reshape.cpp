// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/base/error.h"
#include "core/ops/ops.h"
#include "core/ops/registry.h"

namespace strata {
namespace {

class ReshapeOp final : public Op {
 public:
  explicit ReshapeOp(Shape target) : target_(std::move(target)) {}
  std::string_view name() const override { return "reshape"; }
  std::string attributes() const override { return "shape=" + target_.str(); }
  bool is_view() const override { return true; }

  // As long as the input has unknown dimensions the target may keep several; a known input leaves at most one to
  // compute.
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    const Shape& from = inputs[0].shape;
    if (!from.is_known()) return {{target_, inputs[0].dtype}};
    Dim known = 1;
    int unknown_axis = -1;
    for (int i = 0; i < target_.rank(); ++i) {
      if (target_[i] != None) known *= target_[i];
      else if (unknown_axis < 0) unknown_axis = i;
      else fail("at most one unknown dimension", from);
    }
    const Dim elements = from.elements();
    if (unknown_axis < 0) {
      if (known != elements) fail("a shape of " + std::to_string(elements) + " elements", from);
      return {{target_, inputs[0].dtype}};
    }
    if (known == 0 || elements % known != 0)
      fail("a shape that divides " + std::to_string(elements) + " elements", from);
    return {{target_.with(unknown_axis, elements / known), inputs[0].dtype}};
  }

  std::vector<Gradient> gradient(const GradientArgs& args) const override {
    return {{ops::reshape(args.grad(), args.input().shape()), {}}};
  }

 private:
  [[noreturn]] void fail(const std::string& expected, const Shape& from) const {
    throw ShapeError("reshape: expected " + expected + " for an input of shape " + from.str() + ", received " +
                     target_.str());
  }

  Shape target_;
};

OpExample example(std::string label, Shape from, Shape to) {
  const auto build = [to = std::move(to)](const std::vector<Tensor>& x) {
    return std::vector<Tensor>{ops::reshape(x[0], to)};
  };
  return {std::move(label), {{{std::move(from)}}}, build};
}

}  // namespace

Tensor ops::reshape(const Tensor& x, const Shape& shape) {
  if (shape.is_known() && shape == x.shape()) return x;
  return apply_one(std::make_shared<ReshapeOp>(shape), {x});
}

void register_reshape(OpRegistry& registry) {
  registry.add({"reshape",
                {},
                {example("flatten", {2, 3, 4}, {2, 12}), example("one dimension computed", {2, 3, 4}, {None, 6}),
                 example("to a scalar", {1, 1}, {})}});
}

}  // namespace strata
