// SPDX-License-Identifier: Apache-2.0
// An elementwise op that copies: so it fuses with what reads its result, and nothing is written out.
#include "core/base/error.h"
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

template <class T>
void copy_loop(const void* const* inputs, void* output, Dim n) {
  if (output != inputs[0]) std::memcpy(output, inputs[0], static_cast<std::size_t>(n) * sizeof(T));
}

class BroadcastToOp final : public ElementwiseOp {
 public:
  explicit BroadcastToOp(Shape shape) : shape_(std::move(shape)) {}
  std::string_view name() const override { return "broadcast_to"; }
  std::string attributes() const override { return "shape=" + shape_.str(); }

  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    const Shape& from = inputs[0].shape;
    const int extra = shape_.rank() - from.rank();
    bool fits = extra >= 0;
    for (int i = 0; fits && i < from.rank(); ++i) fits = from[i] == 1 || dims_fit(from[i], shape_[extra + i]);
    if (!fits) {
      throw ShapeError("broadcast_to: expected a shape that broadcasts to " + shape_.str() + ", received " +
                       from.str());
    }
    Shape result = shape_;
    for (int i = 0; i < from.rank(); ++i) {
      if (shape_[extra + i] == None && from[i] > 1) result = result.with(extra + i, from[i]);
    }
    return {{result, inputs[0].dtype}};
  }

  std::vector<Gradient> gradient(const GradientArgs& args) const override {
    return {{sum_to_shape(args.grad(), args.input().shape()), {}}};
  }

  ElementwiseLoop loop(std::span<const Dtype> inputs) const override {
    return visit_element(inputs[0], []<class T>(TypeTag<T>) -> ElementwiseLoop { return &copy_loop<T>; });
  }
  bool takes_halves() const override { return true; }

 private:
  Shape shape_;
};

OpExample example(std::string label, Shape from, Shape to) {
  const auto build = [to = std::move(to)](const std::vector<Tensor>& x) {
    return std::vector<Tensor>{ops::broadcast_to(x[0], to)};
  };
  return {std::move(label), {{{std::move(from)}}}, build};
}

}  // namespace

Tensor ops::broadcast_to(const Tensor& x, const Shape& shape) {
  if (shape.is_known() && shape == x.shape()) return x;
  return apply_one(std::make_shared<BroadcastToOp>(shape), {x});
}

void register_broadcast_to(OpRegistry& registry) {
  registry.add({"broadcast_to",
                elementwise_candidates(),
                {example("scalar", {}, {3, 4}), example("rows", {4}, {3, 4}), example("columns", {3, 1}, {2, 3, 5}),
                 example("inner axes", {2, 1, 3}, {2, 700, 3})}});
}

}  // namespace strata
