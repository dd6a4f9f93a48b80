// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/ops/ops.h"
#include "core/ops/registry.h"

namespace strata {
namespace {

/// x (outer, n, inner) to the index of the first maximum along n; NaN counts as the greatest.
template <class T>
void argmax_kernel(const KernelArgs& args, Dim outer, Dim n, Dim inner) {
  auto* out = args.output<std::int64_t>();
  for (Dim o = 0; o < outer; ++o) {
    const T* plane = args.input<T>(0) + o * n * inner;
    for (Dim c = 0; c < inner; ++c) {
      T best = plane[c];
      Dim index = 0;
      for (Dim i = 1; i < n; ++i) {
        const T value = plane[i * inner + c];
        if (value > best || (value != value && best == best)) best = value, index = i;
      }
      *out++ = index;
    }
  }
}

class ArgmaxOp final : public Op {
 public:
  explicit ArgmaxOp(int axis) : axis_(axis) {}
  std::string_view name() const override { return "argmax"; }
  std::string attributes() const override { return "axis=" + std::to_string(axis_); }

  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    const Shape& shape = inputs[0].shape;
    const int at = axis(shape.rank());
    if (shape[at] == 0) {
      throw ShapeError("argmax: expected at least one element along axis " + std::to_string(at) + ", received shape " +
                       shape.str());
    }
    return {{shape.slice(0, at).concat(shape.slice(at + 1, shape.rank())), Dtype::int64}};
  }

  int axis(int rank) const { return normalize_axis(axis_, rank, "argmax"); }

 private:
  int axis_;
};

Prepared prepare(const KernelRequest& request) {
  const TensorSpec& x = request.inputs[0];
  const int axis = dynamic_cast<const ArgmaxOp&>(request.op).axis(x.shape.rank());
  const Dim outer = x.shape.slice(0, axis).elements();
  const Dim inner = x.shape.slice(axis + 1, x.shape.rank()).elements();
  return visit_dtype(x.dtype, [&]<class T>(TypeTag<T>) {
    return make_kernel([=, n = x.shape[axis]](const KernelArgs& args) { argmax_kernel<T>(args, outer, n, inner); });
  });
}

OpExample example(std::string label, Shape shape, int axis, Dtype dtype = Dtype::float32) {
  const auto build = [axis](const std::vector<Tensor>& x) { return std::vector<Tensor>{ops::argmax(x[0], axis)}; };
  return {std::move(label), {{{std::move(shape), dtype}, -9, 9}}, build, false};
}

}  // namespace

Tensor ops::argmax(const Tensor& x, int axis) { return apply_one(std::make_shared<ArgmaxOp>(axis), {x}); }

void register_argmax(OpRegistry& registry) {
  registry.add({"argmax",
                {{"reference", "cpu", prepare}},
                {example("last axis", {6, 10}, -1), example("first axis", {6, 10}, 0), example("middle", {2, 5, 3}, 1),
                 example("ties", {4, 30}, -1, Dtype::int32)}});
}

}  // namespace strata
