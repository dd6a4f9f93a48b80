// SPDX-License-Identifier: Apache-2.0
#include "core/ops/gate_parts.h"
#include "core/ops/ops.h"
#include "core/ops/recurrent_gates.h"

namespace strata {
namespace {

template <class Math, class T>
STRATA_SIMD_CLONES void gru_row(const T* x, const T* r, const T* h, T* next, T* activated, Dim units) {
#pragma GCC ivdep
  for (Dim j = 0; j < units; ++j) {
    const T z = Math::sigmoid(x[j] + r[j]);
    const T q = Math::sigmoid(x[units + j] + r[units + j]);
    const T g = Math::tanh(x[2 * units + j] + q * r[2 * units + j]);
    next[j] = z * h[j] + (1 - z) * g;
    activated[j] = z;
    activated[units + j] = q;
    activated[2 * units + j] = g;
  }
}

template <class Math>
Prepared prepare(const KernelRequest& request) {
  return prepare_gates(request.inputs[2], []<class T>(TypeTag<T>, const KernelArgs& args, Dim rows, Dim units) {
    for (Dim b = 0; b < rows; ++b) {
      gru_row<Math>(args.input<T>(0) + 3 * units * b, args.input<T>(1) + 3 * units * b, args.input<T>(2) + units * b,
                    args.output<T>(0) + units * b, args.output<T>(1) + 3 * units * b, units);
    }
  });
}

template <class T>
STRATA_SIMD_CLONES void gru_row_backward(const T* activated, const T* r, const T* h, const T* dh, T* dx, T* dr,
                                         T* dh_before, Dim units) {
#pragma GCC ivdep
  for (Dim j = 0; j < units; ++j) {
    const T z = activated[j], q = activated[units + j], g = activated[2 * units + j];
    const T in_z = dh[j] * (h[j] - g) * z * (1 - z);
    const T in_g = dh[j] * (1 - z) * (1 - g * g);
    const T in_q = in_g * r[2 * units + j] * q * (1 - q);
    dx[j] = in_z;
    dx[units + j] = in_q;
    dx[2 * units + j] = in_g;
    dr[j] = in_z;
    dr[units + j] = in_q;
    dr[2 * units + j] = in_g * q;
    dh_before[j] = dh[j] * z;
  }
}

Prepared prepare_backward(const KernelRequest& request) {
  return prepare_gates(request.inputs[2], []<class T>(TypeTag<T>, const KernelArgs& args, Dim rows, Dim units) {
    for (Dim b = 0; b < rows; ++b) {
      gru_row_backward(args.input<T>(0) + 3 * units * b, args.input<T>(1) + 3 * units * b, args.input<T>(2) + units * b,
                       args.input<T>(3) + units * b, args.output<T>(0) + 3 * units * b,
                       args.output<T>(1) + 3 * units * b, args.output<T>(2) + units * b, units);
    }
  });
}

class GruGatesOp final : public Op {
 public:
  std::string_view name() const override { return "gru_gates"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    check_gates("gru_gates", inputs, inputs[2], {3, 3, 1});
    return {inputs[2], gates_spec(inputs[2], 3)};
  }

  // Only a gradient of a gradient reaches `activated`.
  std::vector<Gradient> gradient(const GradientArgs& args) const override {
    const Tensor &r = args.input(1), &h = args.input(2), &activated = args.output(1), &extra = args.grad(1);
    const Tensor dh = args.grad(0) ? args.grad(0) : ops::zeros_like(h);
    const std::vector<Tensor> through = ops::gru_gates_backward(activated, r, h, dh);
    if (!extra) return {{through[0], {}}, {through[1], {}}, {through[2], {}}};
    const Dim units = h.shape().back();
    const auto part = [&](const Tensor& x, Dim k) { return gate_part(x, units, k); };
    const Tensor z = part(activated, 0), q = part(activated, 1), g = part(activated, 2);
    const Tensor in_z = part(extra, 0) * z * (1.0 - z);
    const Tensor in_g = part(extra, 2) * (1.0 - g * g);
    const Tensor in_q = (part(extra, 1) + in_g * part(r, 2)) * q * (1.0 - q);
    return {{through[0] + ops::concatenate({in_z, in_q, in_g}, -1), {}},
            {through[1] + ops::concatenate({in_z, in_q, in_g * q}, -1), {}},
            {through[2], {}}};
  }
};

class GruGatesBackwardOp final : public Op {
 public:
  std::string_view name() const override { return "gru_gates_backward"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    check_gates("gru_gates_backward", inputs, inputs[2], {3, 3, 1, 1});
    const TensorSpec gates = gates_spec(inputs[2], 3);
    return {gates, gates, inputs[2]};
  }

  // With the adjoints u of dx, v of dr and w of dh, cz = uz + vz and cq = uq + vq.
  std::vector<Gradient> gradient(const GradientArgs& args) const override {
    const Tensor &h = args.input(2), &dh = args.input(3);
    const Dim units = h.shape().back();
    const auto part = [&](const Tensor& x, Dim k) { return gate_part(x, units, k); };
    const Tensor z = part(args.input(0), 0), q = part(args.input(0), 1), g = part(args.input(0), 2);
    const Tensor n = part(args.input(1), 2), zeros = ops::zeros_like(h);
    const auto adjoint = [&](int output, Dim k) { return args.grad(output) ? part(args.grad(output), k) : zeros; };
    const Tensor cz = adjoint(0, 0) + adjoint(1, 0), cq = adjoint(0, 1) + adjoint(1, 1);
    const Tensor vg = adjoint(1, 2), w = args.grad(2) ? args.grad(2) : zeros;
    const Tensor tanh_g = 1.0 - g * g, in_g = dh * (1.0 - z) * tanh_g;
    const Tensor a = adjoint(0, 2) + vg * q + cq * n * q * (1.0 - q);  // of in_g
    const Tensor of_z = dh * (cz * (h - g) * (1.0 - z * 2.0) - a * tanh_g + w);
    const Tensor of_q = in_g * (vg + cq * n * (1.0 - q * 2.0));
    const Tensor of_g = dh * (1.0 - z) * (a * g * -2.0 - cz * z);
    const Tensor of_n = cq * in_g * q * (1.0 - q);
    return {{ops::concatenate({of_z, of_q, of_g}, -1), {}},
            {ops::concatenate({zeros, zeros, of_n}, -1), {}},
            {cz * dh * z * (1.0 - z), {}},
            {cz * (h - g) * z * (1.0 - z) + a * (1.0 - z) * tanh_g + w * z, {}}};
  }
};

ExampleInput input(const Shape& shape) { return {{shape, Dtype::float32}}; }

}  // namespace

std::vector<Tensor> ops::gru_gates(const Tensor& x, const Tensor& r, const Tensor& h) {
  return apply_op(std::make_shared<GruGatesOp>(), {x, r, h});
}

std::vector<Tensor> ops::gru_gates_backward(const Tensor& activated, const Tensor& r, const Tensor& h,
                                            const Tensor& dh) {
  return apply_op(std::make_shared<GruGatesBackwardOp>(), {activated, r, h, dh});
}

void register_gru_gates(OpRegistry& registry) {
  const auto build = [](const std::vector<Tensor>& x) { return ops::gru_gates(x[0], x[1], x[2]); };
  registry.add({"gru_gates",
                {{"vectorised", "cpu", prepare<VectorMath>}, {"reference", "cpu", prepare<LibraryMath>}},
                {{"rows", {input({3, 15}), input({3, 15}), input({3, 5})}, build},
                 {"three axes", {input({2, 3, 57}), input({2, 3, 57}), input({2, 3, 19})}, build}}});
  const auto backward = [](const std::vector<Tensor>& x) { return ops::gru_gates_backward(x[0], x[1], x[2], x[3]); };
  registry.add({"gru_gates_backward",
                {{"reference", "cpu", prepare_backward}},
                {{"rows", {input({3, 15}), input({3, 15}), input({3, 5}), input({3, 5})}, backward}}});
}

}  // namespace strata
