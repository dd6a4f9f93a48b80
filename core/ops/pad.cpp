// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/base/error.h"
#include "core/ops/attributes.h"
#include "core/ops/ops.h"
#include "core/ops/registry.h"
#include "core/ops/strided_copy.h"

namespace strata {
namespace {

class PadOp final : public Op {
 public:
  PadOp(std::vector<Dim> before, std::vector<Dim> after, double value)
      : before_(std::move(before)), after_(std::move(after)), value_(value) {}
  std::string_view name() const override { return "pad"; }
  std::string attributes() const override {
    return "before=" + list_text(before_) + " after=" + list_text(after_) + " value=" + number_text(value_);
  }

  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    const Shape& from = inputs[0].shape;
    const auto rank = static_cast<std::size_t>(from.rank());
    const auto negative = [](Dim n) { return n < 0; };
    if (before_.size() != rank || after_.size() != rank || std::any_of(before_.begin(), before_.end(), negative) ||
        std::any_of(after_.begin(), after_.end(), negative)) {
      throw ShapeError("pad: expected one count >= 0 before and after every axis of " + from.str() + ", received " +
                       attributes());
    }
    std::vector<Dim> dims(from.begin(), from.end());
    for (std::size_t i = 0; i < rank; ++i) dims[i] = dims[i] == None ? None : before_[i] + dims[i] + after_[i];
    return {{Shape(std::move(dims)), inputs[0].dtype}};
  }

  std::vector<Gradient> gradient(const GradientArgs& args) const override {
    std::vector<Dim> end;
    for (int i = 0; i < args.input().rank(); ++i) {
      const Dim size = args.input().shape()[i];
      end.push_back(size == None ? None : before_[static_cast<std::size_t>(i)] + size);
    }
    return {{ops::slice(args.grad(), before_, end), {}}};
  }

  const std::vector<Dim>& before() const { return before_; }
  double value() const { return value_; }

 private:
  std::vector<Dim> before_;
  std::vector<Dim> after_;
  double value_;
};

Prepared prepare(const KernelRequest& request) {
  const auto& op = dynamic_cast<const PadOp&>(request.op);
  const TensorSpec& x = request.inputs[0];
  const std::vector<Dim> from = dense_strides(x.shape);
  const std::vector<Dim> to = dense_strides(request.outputs[0].shape);
  std::vector<StridedAxis> axes;
  Dim offset = 0;
  for (std::size_t i = 0; i < to.size(); ++i) {
    axes.push_back({x.shape[static_cast<int>(i)], from[i], to[i]});
    offset += op.before()[i] * to[i];
  }
  const StridedCopy copy(std::move(axes), 0, offset, size_of(x.dtype));
  return visit_element(x.dtype, [&]<class T>(TypeTag<T>) {
    const auto value = static_cast<T>(static_cast<Widened<T>>(op.value()));
    return make_kernel([=, n = request.outputs[0].shape.elements()](const KernelArgs& args) {
      std::fill_n(args.output<T>(), n, value);
      copy.run(args.inputs[0], args.outputs[0]);
    });
  });
}

OpExample example(std::string label, Shape shape, const std::vector<Dim>& before, const std::vector<Dim>& after,
                  double value) {
  const auto build = [=](const std::vector<Tensor>& x) {
    return std::vector<Tensor>{ops::pad(x[0], before, after, value)};
  };
  return {std::move(label), {{{std::move(shape)}}}, build};
}

}  // namespace

Tensor ops::pad(const Tensor& x, std::vector<Dim> before, std::vector<Dim> after, double value) {
  return apply_one(std::make_shared<PadOp>(std::move(before), std::move(after), value), {x});
}

void register_pad(OpRegistry& registry) {
  registry.add(
      {"pad",
       {{"reference", "cpu", prepare, true}},
       {example("both sides", {3, 4}, {1, 2}, {2, 0}, 0.0),
        example("with a value", {2, 3, 2}, {0, 1, 0}, {1, 1, 3}, -1.5), example("nothing", {3}, {0}, {0}, 0.0)}});
}

}  // namespace strata
