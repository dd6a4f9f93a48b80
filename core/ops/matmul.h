// SPDX-License-Identifier: Apache-2.0
// Internal to matmul: the op, and what its kernel candidates share.
#pragma once

#include "core/ops/product.h"

namespace strata {

/// inputs: a (..., m, k), b (..., k, n), and bias (n,) when the epilogue has one. Output (..., m, n).
class MatMulOp final : public ProductOp {
 public:
  MatMulOp(bool transpose_a, bool transpose_b, ProductEpilogue epilogue = {})
      : ProductOp(std::move(epilogue)), transpose_a_(transpose_a), transpose_b_(transpose_b) {}
  std::string_view name() const override { return "matmul"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  std::string attributes() const override;
  std::vector<Gradient> gradient(const GradientArgs& args) const override;
  std::shared_ptr<const Op> with_epilogue(ProductEpilogue epilogue) const override {
    return std::make_shared<MatMulOp>(transpose_a_, transpose_b_, std::move(epilogue));
  }

  bool transpose_a() const { return transpose_a_; }
  bool transpose_b() const { return transpose_b_; }

 private:
  bool transpose_a_;
  bool transpose_b_;
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

Prepared prepare_matmul_thin_xsmm(const KernelRequest& request);
Prepared prepare_matmul_xsmm(const KernelRequest& request);
Prepared prepare_matmul_onednn(const KernelRequest& request);

}  // namespace strata
