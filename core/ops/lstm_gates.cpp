// SPDX-License-Identifier: Apache-2.0
#include "core/ops/gate_parts.h"
#include "core/ops/ops.h"
#include "core/ops/recurrent_gates.h"

namespace strata {
namespace {

template <class Math, class T>
STRATA_SIMD_CLONES void lstm_row(const T* x, const T* r, const T* c, T* h, T* next, T* activated, Dim units) {
#pragma GCC ivdep
  for (Dim j = 0; j < units; ++j) {
    const T i = Math::sigmoid(x[j] + r[j]);
    const T f = Math::sigmoid(x[units + j] + r[units + j]);
    const T g = Math::tanh(x[2 * units + j] + r[2 * units + j]);
    const T o = Math::sigmoid(x[3 * units + j] + r[3 * units + j]);
    const T carry = f * c[j] + i * g;
    const T t = Math::tanh(carry);
    next[j] = carry;
    h[j] = o * t;
    activated[j] = i;
    activated[units + j] = f;
    activated[2 * units + j] = g;
    activated[3 * units + j] = o;
    activated[4 * units + j] = t;
  }
}

template <class Math>
Prepared prepare(const KernelRequest& request) {
  return prepare_gates(request.inputs[2], []<class T>(TypeTag<T>, const KernelArgs& args, Dim rows, Dim units) {
    for (Dim b = 0; b < rows; ++b) {
      lstm_row<Math>(args.input<T>(0) + 4 * units * b, args.input<T>(1) + 4 * units * b, args.input<T>(2) + units * b,
                     args.output<T>(0) + units * b, args.output<T>(1) + units * b, args.output<T>(2) + 5 * units * b,
                     units);
    }
  });
}

template <class T>
STRATA_SIMD_CLONES void lstm_row_backward(const T* activated, const T* c, const T* dh, const T* dc, T* dz, T* dc_before,
                                          Dim units) {
#pragma GCC ivdep
  for (Dim j = 0; j < units; ++j) {
    const T i = activated[j], f = activated[units + j], g = activated[2 * units + j], o = activated[3 * units + j];
    const T t = activated[4 * units + j];
    const T carry = dc[j] + dh[j] * o * (1 - t * t);
    dz[j] = carry * g * i * (1 - i);
    dz[units + j] = carry * c[j] * f * (1 - f);
    dz[2 * units + j] = carry * i * (1 - g * g);
    dz[3 * units + j] = dh[j] * t * o * (1 - o);
    dc_before[j] = carry * f;
  }
}

Prepared prepare_backward(const KernelRequest& request) {
  return prepare_gates(request.inputs[1], []<class T>(TypeTag<T>, const KernelArgs& args, Dim rows, Dim units) {
    for (Dim b = 0; b < rows; ++b) {
      lstm_row_backward(args.input<T>(0) + 5 * units * b, args.input<T>(1) + units * b, args.input<T>(2) + units * b,
                        args.input<T>(3) + units * b, args.output<T>(0) + 4 * units * b, args.output<T>(1) + units * b,
                        units);
    }
  });
}

class LstmGatesOp final : public Op {
 public:
  std::string_view name() const override { return "lstm_gates"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    check_gates("lstm_gates", inputs, inputs[2], {4, 4, 1});
    return {inputs[2], inputs[2], gates_spec(inputs[2], 5)};
  }

  // Only a gradient of a gradient reaches `activated`.
  std::vector<Gradient> gradient(const GradientArgs& args) const override {
    const Tensor &c = args.input(2), &activated = args.output(2), &extra = args.grad(2);
    const Tensor dh = args.grad(0) ? args.grad(0) : ops::zeros_like(c);
    Tensor dc = args.grad(1) ? args.grad(1) : ops::zeros_like(c);
    if (!extra) return results(ops::lstm_gates_backward(activated, c, dh, dc));
    const auto part = [&](const Tensor& x, Dim k) { return gate_part(x, c.shape().back(), k); };
    dc = dc + part(extra, 4) * (1.0 - ops::square(part(activated, 4)));
    const std::vector<Tensor> through = ops::lstm_gates_backward(activated, c, dh, dc);
    std::vector<Tensor> own;
    for (Dim k = 0; k < 4; ++k) {
      const Tensor a = part(activated, k);
      own.push_back(part(extra, k) * (k == 2 ? 1.0 - ops::square(a) : a * (1.0 - a)));
    }
    return results({through[0] + ops::concatenate(own, -1), through[1]});
  }

 private:
  static std::vector<Gradient> results(const std::vector<Tensor>& found) {
    return {{found[0], {}}, {found[0], {}}, {found[1], {}}};
  }
};

class LstmGatesBackwardOp final : public Op {
 public:
  std::string_view name() const override { return "lstm_gates_backward"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    check_gates("lstm_gates_backward", inputs, inputs[1], {5, 1, 1, 1});
    return {gates_spec(inputs[1], 4), inputs[1]};
  }

  // With the adjoints u of dz and w of dc: the carry's is a = ui g s'(i) + uf c s'(f) + ug i tanh'(g) + w f.
  std::vector<Gradient> gradient(const GradientArgs& args) const override {
    const Tensor &c = args.input(1), &dh = args.input(2);
    const Dim units = c.shape().back();
    const auto part = [&](Dim k) { return gate_part(args.input(0), units, k); };
    const Tensor i = part(0), f = part(1), g = part(2), o = part(3), t = part(4);
    const Tensor u = args.grad(0) ? args.grad(0) : ops::zeros_like(ops::concatenate({c, c, c, c}, -1));
    const Tensor w = args.grad(1) ? args.grad(1) : ops::zeros_like(c);
    const Tensor ui = gate_part(u, units, 0), uf = gate_part(u, units, 1), ug = gate_part(u, units, 2);
    const Tensor uo = gate_part(u, units, 3);
    const Tensor tanh_g = 1.0 - g * g, tanh_t = 1.0 - t * t;
    const Tensor carry = args.input(3) + dh * o * tanh_t;
    const Tensor a = ui * g * i * (1.0 - i) + uf * c * f * (1.0 - f) + ug * i * tanh_g + w * f;
    const Tensor in_i = carry * (ui * g * (1.0 - i * 2.0) + ug * tanh_g);
    const Tensor in_f = carry * (uf * c * (1.0 - f * 2.0) + w);
    const Tensor in_g = carry * i * (ui * (1.0 - i) - ug * g * 2.0);
    const Tensor in_o = dh * (uo * t * (1.0 - o * 2.0) + a * tanh_t);
    const Tensor in_t = dh * o * (uo * (1.0 - o) - a * t * 2.0);
    return {{ops::concatenate({in_i, in_f, in_g, in_o, in_t}, -1), {}},
            {uf * carry * f * (1.0 - f), {}},
            {uo * t * o * (1.0 - o) + a * o * tanh_t, {}},
            {a, {}}};
  }
};

ExampleInput input(const Shape& shape) { return {{shape, Dtype::float32}}; }

}  // namespace

std::vector<Tensor> ops::lstm_gates(const Tensor& x, const Tensor& r, const Tensor& c) {
  return apply_op(std::make_shared<LstmGatesOp>(), {x, r, c});
}

std::vector<Tensor> ops::lstm_gates_backward(const Tensor& activated, const Tensor& c, const Tensor& dh,
                                             const Tensor& dc) {
  return apply_op(std::make_shared<LstmGatesBackwardOp>(), {activated, c, dh, dc});
}

void register_lstm_gates(OpRegistry& registry) {
  const auto build = [](const std::vector<Tensor>& x) { return ops::lstm_gates(x[0], x[1], x[2]); };
  registry.add({"lstm_gates",
                {{"vectorised", "cpu", prepare<VectorMath>}, {"reference", "cpu", prepare<LibraryMath>}},
                {{"rows", {input({3, 20}), input({3, 20}), input({3, 5})}, build},
                 {"images", {input({2, 3, 4, 76}), input({2, 3, 4, 76}), input({2, 3, 4, 19})}, build}}});
  const auto backward = [](const std::vector<Tensor>& x) { return ops::lstm_gates_backward(x[0], x[1], x[2], x[3]); };
  registry.add({"lstm_gates_backward",
                {{"reference", "cpu", prepare_backward}},
                {{"rows", {input({3, 25}), input({3, 5}), input({3, 5}), input({3, 5})}, backward}}});
}

}  // namespace strata
