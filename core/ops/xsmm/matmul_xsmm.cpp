// SPDX-License-Identifier: Apache-2.0
// Small products by libxsmm's generated code: no blocking, no packing, no allocation.
#include <libxsmm.h>

#include "core/ops/block_kernel.h"
#include "core/ops/matmul.h"
#include "core/ops/xsmm/xsmm.h"

namespace strata {
namespace {

/// c = op(a) b, then bias and activation.
struct SmallProduct {
  Gemm g;
  libxsmm_smmfunction code;
  bool bias;
  ElementwiseLoop loop;

  void run(const KernelArgs& args, const float* b, const Gemm::Offsets& at) const {
    float* c = args.output<float>() + at.c;
    code(b, args.input<float>(0) + at.a, c);
    apply_epilogue(c, bias ? args.input<float>(2) : nullptr, loop, g.m, g.n);
  }
};

/// There is no code for a transposed b, which is copied first: once for blocks that have it in common.
class TransposedKernel final : public Kernel, public BlockKernel {
 public:
  explicit TransposedKernel(SmallProduct product) : product_(std::move(product)) {}
  std::size_t scratch_bytes() const override {
    return static_cast<std::size_t>(product_.g.k * product_.g.n) * sizeof(float);
  }
  bool adds() const override { return false; }
  std::size_t common_bytes() const override { return scratch_bytes(); }
  void run(const KernelArgs& args, Stream&) const override { run_blocks({&args, 1}); }
  void run_blocks(std::span<const KernelArgs> blocks) const override {
    const Gemm& g = product_.g;
    auto* copy = static_cast<float*>(blocks[0].scratch);
    const float* copied = nullptr;
    for (const Gemm::Offsets& at : g.batches) {
      for (const KernelArgs& block : blocks) {
        const float* b = block.input<float>(1) + at.b;
        if (b != copied) xsmm::transpose(b, copy, g.n, g.k, g.k);
        copied = b;
        product_.run(block, copy, at);
      }
    }
  }

 private:
  SmallProduct product_;
};

}  // namespace

// libxsmm is column-major: it computes c' (n, m) = b' a'.
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
  const auto code = libxsmm_smmdispatch(m, n, k, &lda, &ldb, &ldc, &alpha, &beta, &flags, nullptr);
  if (code == nullptr) return "libxsmm has no code for this shape";
  SmallProduct product{g, code, op.epilogue().bias, op.epilogue().loop(Dtype::float32)};
  if (g.transpose_b) return std::make_shared<TransposedKernel>(std::move(product));
  return make_kernel([product = std::move(product)](const KernelArgs& args) {
    for (const Gemm::Offsets& at : product.g.batches) product.run(args, args.input<float>(1) + at.b, at);
  });
}

}  // namespace strata
