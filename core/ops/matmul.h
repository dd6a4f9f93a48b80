// SPDX-License-Identifier: Apache-2.0
// Internal to matmul: the op, with the bias and activation that fusion may attach, and what its kernel candidates
// share.
#pragma once

#include "core/ops/elementwise.h"

namespace strata {

/// What is applied to the product before it is stored: + bias (n,), then an elementwise function.
struct MatMulEpilogue {
  bool bias = false;
  std::shared_ptr<const Op> activation;  // an ElementwiseOp of one operand, or null
};

/// inputs: a (..., m, k), b (..., k, n), and bias (n,) when the epilogue has one. Output (..., m, n).
class MatMulOp final : public Op {
 public:
  MatMulOp(bool transpose_a, bool transpose_b, MatMulEpilogue epilogue = {})
      : transpose_a_(transpose_a), transpose_b_(transpose_b), epilogue_(std::move(epilogue)) {}
  std::string_view name() const override { return "matmul"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  std::string attributes() const override;
  std::vector<Gradient> gradient(const GradientArgs& args) const override;

  bool transpose_a() const { return transpose_a_; }
  bool transpose_b() const { return transpose_b_; }
  const MatMulEpilogue& epilogue() const { return epilogue_; }

 private:
  bool transpose_a_;
  bool transpose_b_;
  MatMulEpilogue epilogue_;
};

/// A matmul as plain row-major products c (m, n) = op(a) op(b), one a batch.
struct Gemm {
  Dim m = 0, n = 0, k = 0;
  bool transpose_a = false, transpose_b = false;
  struct Offsets {
    Dim a, b, c;  // elements
  };
  std::vector<Offsets> batches;
  Dim lda() const { return transpose_a ? m : k; }
  Dim ldb() const { return transpose_b ? k : n; }
};

/// Leading axes of a fold into m when b has none.
Gemm make_gemm(const MatMulOp& op, std::span<const TensorSpec> inputs, const TensorSpec& output);

/// The activation's loop for this dtype; null when there is none.
ElementwiseLoop epilogue_loop(const MatMulEpilogue& epilogue, Dtype dtype);

/// c[i, j] += bias[j] (bias may be null), then the activation in place, for `rows` rows of n.
template <class T>
void apply_epilogue(T* c, const T* bias, ElementwiseLoop activation, Dim rows, Dim n);

Prepared prepare_matmul_xsmm(const KernelRequest& request);
Prepared prepare_matmul_onednn(const KernelRequest& request);

}  // namespace strata
