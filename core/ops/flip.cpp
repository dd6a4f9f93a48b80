// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/base/error.h"
#include "core/ops/attributes.h"
#include "core/ops/ops.h"
#include "core/ops/registry.h"
#include "core/ops/strided_copy.h"

namespace strata {
namespace {

class FlipOp final : public Op {
 public:
  explicit FlipOp(std::vector<int> axes) : axes_(std::move(axes)) {}
  std::string_view name() const override { return "flip"; }
  std::string attributes() const override { return "axes=" + list_text(axes_); }

  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    flipped(inputs[0].shape.rank());
    return {inputs[0]};
  }

  std::vector<Gradient> gradient(const GradientArgs& args) const override {
    return {{ops::flip(args.grad(), axes_), {}}};
  }

  /// Whether each axis is reversed.
  std::vector<bool> flipped(int rank) const {
    std::vector<bool> result(static_cast<std::size_t>(rank), false);
    for (int axis : axes_) {
      const auto at = static_cast<std::size_t>(normalize_axis(axis, rank, "flip"));
      if (result[at]) throw ShapeError("flip: expected every axis once, received axes " + list_text(axes_));
      result[at] = true;
    }
    return result;
  }

 private:
  std::vector<int> axes_;
};

Prepared prepare(const KernelRequest& request) {
  const TensorSpec& x = request.inputs[0];
  const auto flipped = dynamic_cast<const FlipOp&>(request.op).flipped(x.shape.rank());
  const std::vector<Dim> strides = dense_strides(x.shape);
  std::vector<StridedAxis> axes;
  Dim offset = 0;
  for (std::size_t i = 0; i < strides.size(); ++i) {
    const Dim size = x.shape[static_cast<int>(i)];
    axes.push_back({size, flipped[i] ? -strides[i] : strides[i], strides[i]});
    if (flipped[i]) offset += (size - 1) * strides[i];
  }
  return make_kernel([copy = StridedCopy(std::move(axes), offset, 0, size_of(x.dtype))](const KernelArgs& args) {
    copy.run(args.inputs[0], args.outputs[0]);
  });
}

OpExample example(std::string label, Shape shape, const std::vector<int>& axes) {
  const auto build = [=](const std::vector<Tensor>& x) { return std::vector<Tensor>{ops::flip(x[0], axes)}; };
  return {std::move(label), {{{std::move(shape)}}}, build};
}

}  // namespace

Tensor ops::flip(const Tensor& x, std::vector<int> axes) {
  return apply_one(std::make_shared<FlipOp>(std::move(axes)), {x});
}

void register_flip(OpRegistry& registry) {
  registry.add(
      {"flip",
       {{"reference", "cpu", prepare, true}},
       {example("last axis", {3, 5}, {-1}), example("first axis", {3, 5}, {0}), example("both", {3, 4, 2}, {0, 2})}});
}

}  // namespace strata
