// SPDX-License-Identifier: Apache-2.0
#include "core/ops/softmax.h"

#include <numeric>

#include "core/base/error.h"
#include "core/ops/ops.h"

namespace strata {

void softmax::expect_logits(const char* op, const TensorSpec& x) {
  if (!is_floating(x.dtype)) {
    throw DtypeError(std::string(op) + ": expected a floating dtype, received " + x.str());
  }
  if (x.shape.rank() == 0) throw ShapeError(std::string(op) + ": expected at least one axis, received a scalar");
}

Tensor softmax::to_last_axis(const Tensor& x, int axis, const char* op) {
  const int at = normalize_axis(axis, x.rank(), op);
  if (at == x.rank() - 1) return x;
  std::vector<int> permutation(static_cast<std::size_t>(x.rank()));
  std::iota(permutation.begin(), permutation.end(), 0);
  std::swap(permutation[static_cast<std::size_t>(at)], permutation.back());
  return ops::transpose(x, std::move(permutation));
}

std::vector<OpExample> softmax::examples(Tensor (*function)(const Tensor& x, int axis)) {
  const auto example = [function](std::string label, Shape shape, int axis) {
    const auto build = [function, axis](const std::vector<Tensor>& x) {
      return std::vector<Tensor>{function(x[0], axis)};
    };
    return OpExample{std::move(label), {{{std::move(shape)}, -5, 5}}, build};
  };
  return {example("rows", {7, 10}, -1), example("wide rows", {3, 150}, -1), example("three axes", {2, 3, 4}, -1),
          example("another axis", {3, 4, 2}, 1), example("one long row", {2500}, 0)};
}

namespace {

class SoftmaxOp final : public Op {
 public:
  std::string_view name() const override { return "softmax"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    softmax::expect_logits("softmax", inputs[0]);
    return {inputs[0]};
  }
  std::vector<Gradient> gradient(const GradientArgs& args) const override {
    const Tensor product = args.grad() * args.output();
    return {{product - args.output() * ops::sum(product, {-1}, true), {}}};
  }
};

template <class T>
void softmax_kernel(const KernelArgs& args, Dim rows, Dim n) {
  const Dim step = softmax::group_rows(n);
  for (Dim r = 0; r < rows; r += step) {
    const Dim count = std::min(step, rows - r);
    T* out = args.output<T>() + r * n;
    softmax::subtract_max(args.input<T>(0) + r * n, out, count, n);
    softmax::exponentiate(out, out, count * n);
    softmax::divide_by_sum(out, count, n);
  }
}

Prepared prepare(const KernelRequest& request) {
  const Shape& shape = request.inputs[0].shape;
  const Dim rows = shape.slice(0, shape.rank() - 1).elements();
  const bool wide = request.inputs[0].dtype == Dtype::float64;
  return make_kernel(
      [rows, n = shape.back(), wide](const KernelArgs& args) {
        if (wide) softmax_kernel<double>(args, rows, n);
        else softmax_kernel<float>(args, rows, n);
      },
      0, true);
}

}  // namespace

Tensor ops::softmax(const Tensor& x, int axis) {
  strata::softmax::expect_logits("softmax", x.spec());
  const Tensor rows = strata::softmax::to_last_axis(x, axis, "softmax");
  return strata::softmax::to_last_axis(apply_one(std::make_shared<SoftmaxOp>(), {rows}), axis, "softmax");
}

void register_softmax(OpRegistry& registry) {
  registry.add({"softmax", {{"reference", "cpu", prepare}}, softmax::examples(&ops::softmax)});
}

}  // namespace strata
