// SPDX-License-Identifier: Apache-2.0
// Small products by libxsmm's generated code: no blocking, no packing, no allocation.
#include <libxsmm.h>

#include "core/ops/matmul.h"
#include "core/ops/xsmm/xsmm.h"

namespace strata {

// libxsmm is column-major: it computes c' (n, m) = b' a'. It has no code for a transposed b, which is copied first.
Prepared prepare_matmul_xsmm(const KernelRequest& request) {
  const auto& op = dynamic_cast<const MatMulOp&>(request.op);
  if (request.outputs[0].dtype != Dtype::float32) return "only float32";
  const Gemm g = make_gemm(op, request.inputs, request.outputs[0]);
  if (g.m == 0 || g.n == 0 || g.k == 0) return "an empty operand";
  if ((g.m * g.k + g.k * g.n + g.m * g.n) * Dim{sizeof(float)} > xsmm::kCacheBytes) return "larger than the cache";
  const auto m = static_cast<libxsmm_blasint>(g.n), n = static_cast<libxsmm_blasint>(g.m);
  const auto k = static_cast<libxsmm_blasint>(g.k);
  const libxsmm_blasint lda = m, ldb = static_cast<libxsmm_blasint>(g.lda()), ldc = m;
  const float alpha = 1, beta = 0;
  const int flags = g.transpose_a ? LIBXSMM_GEMM_FLAG_TRANS_B : LIBXSMM_GEMM_FLAG_NONE;
  const auto product = libxsmm_smmdispatch(m, n, k, &lda, &ldb, &ldc, &alpha, &beta, &flags, nullptr);
  if (product == nullptr) return "libxsmm has no code for this shape";
  const std::size_t scratch = g.transpose_b ? static_cast<std::size_t>(g.k * g.n) * sizeof(float) : 0;
  return make_kernel(
      [g, product, bias = op.epilogue().bias, loop = op.epilogue().loop(Dtype::float32)](const KernelArgs& args) {
        for (const Gemm::Offsets& at : g.batches) {
          const float* b = args.input<float>(1) + at.b;
          if (g.transpose_b) {
            xsmm::transpose(b, static_cast<float*>(args.scratch), g.n, g.k, g.k);
            b = static_cast<float*>(args.scratch);
          }
          float* c = args.output<float>() + at.c;
          product(b, args.input<float>(0) + at.a, c);
          apply_epilogue(c, bias ? args.input<float>(2) : nullptr, loop, g.m, g.n);
        }
      },
      scratch);
}

}  // namespace strata
