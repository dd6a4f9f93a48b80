// SPDX-License-Identifier: Apache-2.0
#include "core/ops/matmul.h"

#include "core/base/error.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

struct Sides {
  Dim rows, columns;
};

Sides sides(const Shape& shape, bool transposed) {
  const Dim first = shape[shape.rank() - 2];
  const Dim last = shape[shape.rank() - 1];
  return transposed ? Sides{last, first} : Sides{first, last};
}

/// Sums over k in order, one rounding a step: the oracle of the other candidates.
template <class T>
void reference_gemm(const Gemm& g, const T* a, const T* b, T* c) {
  const Dim a_row = g.transpose_a ? 1 : g.k, a_column = g.transpose_a ? g.m : 1;
  const Dim b_row = g.transpose_b ? 1 : g.n, b_column = g.transpose_b ? g.k : 1;
  for (Dim i = 0; i < g.m; ++i) {
    std::fill_n(c + i * g.n, g.n, T{0});
    for (Dim l = 0; l < g.k; ++l) {
      const T factor = a[i * a_row + l * a_column];
      for (Dim j = 0; j < g.n; ++j) c[i * g.n + j] += factor * b[l * b_row + j * b_column];
    }
  }
}

Prepared prepare_reference(const KernelRequest& request) {
  const auto& op = dynamic_cast<const MatMulOp&>(request.op);
  const Dtype dtype = request.outputs[0].dtype;
  return visit_dtype(dtype, [&]<class T>(TypeTag<T>) -> Prepared {
    if constexpr (!std::is_floating_point_v<T>) {
      return std::string("not a floating dtype");
    } else {
      return make_kernel([g = make_gemm(op, request.inputs, request.outputs[0]), bias = op.epilogue().bias,
                          loop = op.epilogue().loop(dtype)](const KernelArgs& args) {
        for (const Gemm::Offsets& at : g.batches) {
          T* c = args.output<T>() + at.c;
          reference_gemm(g, args.input<T>(0) + at.a, args.input<T>(1) + at.b, c);
          apply_epilogue<T>(c, bias ? args.input<T>(2) : nullptr, loop, g.m, g.n);
        }
      });
    }
  });
}

OpExample example(std::string label, const Shape& a, const Shape& b, bool ta = false, bool tb = false) {
  return {std::move(label), {{{a, Dtype::float32}}, {{b, Dtype::float32}}}, [ta, tb](const std::vector<Tensor>& x) {
            return std::vector<Tensor>{ops::matmul(x[0], x[1], ta, tb)};
          }};
}

OpExample fused_example() {
  const auto input = [](const Shape& shape) { return ExampleInput{{shape, Dtype::float32}}; };
  const auto build = [](const std::vector<Tensor>& x) {
    const ProductEpilogue epilogue{true, ops::relu(x[0]).node()->shared_op()};
    return apply_op(std::make_shared<MatMulOp>(false, false, epilogue), x);
  };
  return {"bias and relu", {input({5, 7}), input({7, 4}), input({4})}, build, false};
}

}  // namespace

std::vector<TensorSpec> MatMulOp::infer(std::span<const TensorSpec> inputs) const {
  const TensorSpec& a = inputs[0];
  const TensorSpec& b = inputs[1];
  if (!is_floating(a.dtype) || a.dtype != b.dtype) {
    throw DtypeError("matmul: expected two operands of one floating dtype, received " + a.str() + " and " + b.str());
  }
  if (a.shape.rank() < 2 || b.shape.rank() < 2) {
    throw ShapeError("matmul: expected operands of rank 2 or more, received " + a.shape.str() + " and " +
                     b.shape.str());
  }
  const Sides left = sides(a.shape, transpose_a_);
  const Sides right = sides(b.shape, transpose_b_);
  if (!dims_fit(left.columns, right.rows)) {
    throw ShapeError("matmul: expected equal inner dimensions, received " + a.shape.str() +
                     (transpose_a_ ? " transposed" : "") + " and " + b.shape.str() +
                     (transpose_b_ ? " transposed" : ""));
  }
  const Shape batch =
      broadcast_shapes(a.shape.slice(0, a.shape.rank() - 2), b.shape.slice(0, b.shape.rank() - 2), "matmul");
  return {{batch.concat({left.rows, right.columns}), a.dtype}};
}

std::string MatMulOp::attributes() const {
  return std::string("transpose=") + (transpose_a_ ? "T" : "N") + (transpose_b_ ? "T" : "N") + epilogue().text();
}

// C = op(A) op(B) gives dA = dC op(B)' and dB = op(A)' dC, each transposed when its operand is.
std::vector<Gradient> MatMulOp::gradient(const GradientArgs& args) const {
  require_no_epilogue();
  const Tensor& a = args.input(0);
  const Tensor& b = args.input(1);
  const Tensor& g = args.grad();
  if (b.rank() == 2 && a.rank() > 2 && !transpose_a_ && !transpose_b_) {  // one product instead of one a batch
    const Tensor rows = ops::reshape(a, {None, a.shape().back()});
    const Tensor grad_rows = ops::reshape(g, {None, g.shape().back()});
    return {{ops::matmul(g, b, false, true), {}}, {ops::matmul(rows, grad_rows, true, false), {}}};
  }
  const Tensor grad_a = transpose_a_ ? ops::matmul(b, g, transpose_b_, true) : ops::matmul(g, b, false, !transpose_b_);
  const Tensor grad_b = transpose_b_ ? ops::matmul(g, a, true, transpose_a_) : ops::matmul(a, g, !transpose_a_, false);
  return {{sum_to_shape(grad_a, a.shape()), {}}, {sum_to_shape(grad_b, b.shape()), {}}};
}

Gemm make_gemm(const MatMulOp& op, std::span<const TensorSpec> inputs, const TensorSpec& output) {
  const Shape& a = inputs[0].shape;
  const Shape& b = inputs[1].shape;
  Gemm g;
  g.transpose_a = op.transpose_a();
  g.transpose_b = op.transpose_b();
  const Sides left = sides(a, g.transpose_a);
  g.m = left.rows;
  g.k = left.columns;
  g.n = output.shape.back();
  const Shape batch = output.shape.slice(0, output.shape.rank() - 2);
  if (b.rank() == 2 && !g.transpose_a) {
    g.m *= batch.elements();
    g.batches.push_back({0, 0, 0});
    return g;
  }
  // Walks the output's batches like an odometer; an operand's stride is 0 along axes it is broadcast over.
  const auto offset = [&](const Shape& shape, Dim index) {
    Dim at = 0;
    Dim stride = shape[shape.rank() - 1] * shape[shape.rank() - 2];
    for (int axis = 1; axis <= batch.rank(); ++axis) {
      const Dim position = index % batch[batch.rank() - axis];
      index /= batch[batch.rank() - axis];
      const int own = shape.rank() - 2 - axis;
      if (own < 0) break;
      if (shape[own] != 1) at += position * stride;
      stride *= shape[own];
    }
    return at;
  };
  for (Dim i = 0; i < batch.elements(); ++i) g.batches.push_back({offset(a, i), offset(b, i), i * g.m * g.n});
  return g;
}

Tensor ops::matmul(const Tensor& a, const Tensor& b, bool transpose_a, bool transpose_b) {
  return apply_one(std::make_shared<MatMulOp>(transpose_a, transpose_b), {a, b});
}

void register_matmul(OpRegistry& registry) {
  registry.add({"matmul",
                {{"xsmm_thin", "cpu", prepare_matmul_thin_xsmm},
                 {"xsmm", "cpu", prepare_matmul_xsmm},
                 {"onednn", "cpu", prepare_matmul_onednn},
                 {"reference", "cpu", prepare_reference}},
                {example("plain", {5, 7}, {7, 4}), example("first transposed", {7, 5}, {7, 4}, true),
                 example("second transposed", {5, 7}, {4, 7}, false, true),
                 example("both transposed", {7, 5}, {4, 7}, true, true), example("batched", {3, 5, 2}, {3, 2, 4}),
                 example("batch folded into rows", {3, 5, 2}, {2, 4}),
                 example("batch broadcast", {2, 1, 5, 2}, {3, 4, 2}, false, true),
                 example("wide", {16, 300}, {300, 33}), fused_example()}});
}

}  // namespace strata
