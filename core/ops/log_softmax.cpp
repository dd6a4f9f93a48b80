// SPDX-License-Identifier: Apache-2.0
#include "core/ops/ops.h"
#include "core/ops/softmax.h"

namespace strata {
namespace {

class LogSoftmaxOp final : public Op {
 public:
  std::string_view name() const override { return "log_softmax"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    softmax::expect_logits("log_softmax", inputs[0]);
    return {inputs[0]};
  }
  std::vector<Gradient> gradient(const GradientArgs& args) const override {
    return {{args.grad() - ops::exp(args.output()) * ops::sum(args.grad(), {-1}, true), {}}};
  }
};

template <class T>
void log_softmax_kernel(const KernelArgs& args, Dim rows, Dim n) {
  T* exponentials = static_cast<T*>(args.scratch);
  const Dim step = softmax::group_rows(n);
  for (Dim r = 0; r < rows; r += step) {
    const Dim count = std::min(step, rows - r);
    T* out = args.output<T>() + r * n;
    softmax::subtract_max(args.input<T>(0) + r * n, out, count, n);
    softmax::exponentiate<T>(out, exponentials, count * n);
    softmax::subtract_log_sum<T>(out, exponentials, count, n);
  }
}

Prepared prepare(const KernelRequest& request) {
  const Shape& shape = request.inputs[0].shape;
  const Dim rows = shape.slice(0, shape.rank() - 1).elements();
  const Dim n = shape.back();
  const bool wide = request.inputs[0].dtype == Dtype::float64;
  const auto scratch = static_cast<std::size_t>(softmax::group_elements(rows, n)) * size_of(request.inputs[0].dtype);
  return make_kernel(
      [rows, n, wide](const KernelArgs& args) {
        if (wide) log_softmax_kernel<double>(args, rows, n);
        else log_softmax_kernel<float>(args, rows, n);
      },
      scratch, true);
}

}  // namespace

Tensor ops::log_softmax(const Tensor& x, int axis) {
  strata::softmax::expect_logits("log_softmax", x.spec());
  const Tensor rows = strata::softmax::to_last_axis(x, axis, "log_softmax");
  return strata::softmax::to_last_axis(apply_one(std::make_shared<LogSoftmaxOp>(), {rows}), axis, "log_softmax");
}

void register_log_softmax(OpRegistry& registry) {
  registry.add({"log_softmax", {{"reference", "cpu", prepare}}, softmax::examples(&ops::log_softmax)});
}

}  // namespace strata
