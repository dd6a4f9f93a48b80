// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/base/error.h"
#include "core/ops/attributes.h"
#include "core/ops/ops.h"
#include "core/ops/registry.h"
#include "core/ops/strided_copy.h"

namespace strata {
namespace {

class SliceOp final : public Op {
 public:
  SliceOp(std::vector<Dim> begin, std::vector<Dim> end, std::vector<Dim> step)
      : begin_(std::move(begin)), end_(std::move(end)), step_(std::move(step)) {}
  std::string_view name() const override { return "slice"; }
  std::string attributes() const override {
    return "begin=" + list_text(begin_) + " end=" + list_text(end_) + " step=" + list_text(step_);
  }

  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    const Shape& from = inputs[0].shape;
    const auto rank = static_cast<std::size_t>(from.rank());
    if (begin_.size() != rank || end_.size() != rank || step_.size() != rank) {
      throw ShapeError("slice: expected one begin, end and step an axis of " + from.str() + ", received " +
                       attributes());
    }
    std::vector<Dim> dims;
    for (std::size_t i = 0; i < rank; ++i) dims.push_back(length(from, i));
    return {{Shape(std::move(dims)), inputs[0].dtype}};
  }

  std::vector<Gradient> gradient(const GradientArgs& args) const override {
    const Shape& from = args.input().shape();
    const Tensor spread = put_zeros_between(args.grad());
    std::vector<Dim> after;
    for (int i = 0; i < from.rank(); ++i) {
      const Dim covered = begin_[static_cast<std::size_t>(i)] + spread.shape()[i];
      // A size that is not known while the model is defined is known in every program.
      after.push_back(from[i] == None || spread.shape()[i] == None ? 0 : std::max<Dim>(from[i] - covered, 0));
    }
    Tensor whole = ops::pad(spread, begin_, after);
    // The zeros after the last element may reach beyond the axis.
    if (!shapes_fit(whole.shape(), from)) {
      whole = ops::slice(whole, std::vector<Dim>(begin_.size(), 0), {from.begin(), from.end()});
    }
    return {{whole, {}}};
  }

  const std::vector<Dim>& begin() const { return begin_; }
  const std::vector<Dim>& step() const { return step_; }

 private:
  Dim length(const Shape& from, std::size_t i) const {
    const Dim size = from[static_cast<int>(i)];
    const Dim end = end_[i] == None ? size : end_[i];
    const bool within = size == None || (begin_[i] <= size && end <= size);
    if (begin_[i] < 0 || step_[i] < 1 || !within || (end != None && end < begin_[i])) {
      throw ShapeError("slice: expected 0 <= begin <= end <= size and step >= 1 on every axis of " + from.str() +
                       ", received " + attributes());
    }
    return end == None ? None : (end - begin_[i] + step_[i] - 1) / step_[i];
  }

  /// Along every axis of step s > 1: s - 1 zeros after each element.
  Tensor put_zeros_between(Tensor grad) const {
    for (int i = 0; i < grad.rank(); ++i) {
      const Dim step = step_[static_cast<std::size_t>(i)];
      if (step == 1) continue;
      const Shape shape = grad.shape();
      std::vector<Dim> before(static_cast<std::size_t>(grad.rank()) + 1, 0);
      std::vector<Dim> after = before;
      after[static_cast<std::size_t>(i) + 1] = step - 1;
      const Tensor padded = ops::pad(ops::expand_dims(grad, i + 1), before, after);
      grad = ops::reshape(padded, shape.with(i, shape[i] == None ? None : shape[i] * step));
    }
    return grad;
  }

  std::vector<Dim> begin_;
  std::vector<Dim> end_;
  std::vector<Dim> step_;
};

Prepared prepare(const KernelRequest& request) {
  const auto& op = dynamic_cast<const SliceOp&>(request.op);
  const std::vector<Dim> from = dense_strides(request.inputs[0].shape);
  const std::vector<Dim> to = dense_strides(request.outputs[0].shape);
  std::vector<StridedAxis> axes;
  Dim offset = 0;
  for (std::size_t i = 0; i < to.size(); ++i) {
    axes.push_back({request.outputs[0].shape[static_cast<int>(i)], from[i] * op.step()[i], to[i]});
    offset += op.begin()[i] * from[i];
  }
  return make_kernel([copy = StridedCopy(std::move(axes), offset, 0, size_of(request.inputs[0].dtype))](
                         const KernelArgs& args) { copy.run(args.inputs[0], args.outputs[0]); });
}

OpExample example(std::string label, Shape shape, const std::vector<Dim>& begin, const std::vector<Dim>& end,
                  const std::vector<Dim>& step) {
  const auto build = [=](const std::vector<Tensor>& x) {
    return std::vector<Tensor>{ops::slice(x[0], begin, end, step)};
  };
  return {std::move(label), {{{std::move(shape)}}}, build};
}

}  // namespace

Tensor ops::slice(const Tensor& x, std::vector<Dim> begin, std::vector<Dim> end, std::vector<Dim> step) {
  if (step.empty()) step.assign(begin.size(), 1);
  return apply_one(std::make_shared<SliceOp>(std::move(begin), std::move(end), std::move(step)), {x});
}

void register_slice(OpRegistry& registry) {
  registry.add(
      {"slice",
       {{"reference", "cpu", prepare, true}},
       {example("rows", {6, 5}, {2, 0}, {4, None}, {}), example("box", {4, 5, 6}, {1, 2, 0}, {3, 5, 4}, {}),
        example("steps", {7, 8}, {1, 0}, {None, 7}, {2, 3}), example("empty", {3, 4}, {1, 2}, {1, None}, {})}});
}

}  // namespace strata
