// SPDX-License-Identifier: Apache-2.0
// Many small products on strided operands by libxsmm's generated code: nothing is copied into another order, except a
// transposed second operand.
#include <libxsmm.h>

#include <algorithm>
#include <array>

#include "core/ops/einsum_op.h"
#include "core/ops/xsmm/xsmm.h"

namespace strata {
namespace {

/// c (m, n) = a (m, k) b (k, n) for every element of `outer`, summed over `terms`. The columns of c are contiguous.
struct StridedProducts {
  EinsumLoop m, n, k;
  std::vector<EinsumLoop> outer, terms;
  bool swapped = false;  // a is the op's second operand
  bool transpose_a() const { return k.a != 1 && k.size > 1; }
  bool transpose_b() const { return n.b != 1 && n.size > 1; }
};

/// Takes the largest loop out of `loops`; one element when there is none.
EinsumLoop take_largest(std::vector<EinsumLoop>& loops) {
  const auto largest =
      std::max_element(loops.begin(), loops.end(), [](const auto& x, const auto& y) { return x.size < y.size; });
  if (largest == loops.end()) return {};
  const EinsumLoop taken = *largest;
  loops.erase(largest);
  return taken;
}

void swap_operands(EinsumLoops& loops) {
  std::swap(loops.m, loops.n);
  for (auto* group : {&loops.batch, &loops.m, &loops.n, &loops.k}) {
    for (EinsumLoop& loop : *group) std::swap(loop.a, loop.b);
  }
}

bool contiguous(const EinsumLoop& loop) { return loop.c == 1; }

/// Empty when the contiguous axis of the result is in both operands.
std::vector<StridedProducts> strided_products(EinsumLoops loops) {
  const bool swap = std::any_of(loops.m.begin(), loops.m.end(), contiguous);
  if (swap) swap_operands(loops);
  const auto columns = std::find_if(loops.n.begin(), loops.n.end(), contiguous);
  if (columns == loops.n.end()) return {};
  StridedProducts products;
  products.swapped = swap;
  products.n = *columns;
  loops.n.erase(columns);
  products.m = take_largest(loops.m);
  products.k = take_largest(loops.k);
  for (const auto* group : {&loops.batch, &loops.m, &loops.n}) {
    products.outer.insert(products.outer.end(), group->begin(), group->end());
  }
  products.terms = loops.k;
  return {products};
}

/// Why libxsmm cannot run them; empty when it can.
std::string refusal(const StridedProducts& p) {
  if (p.transpose_a() && p.m.a != 1 && p.m.size > 1) return "no contiguous axis in the first operand";
  if (p.transpose_b() && p.k.b != 1 && p.k.size > 1) return "no contiguous axis in the second operand";
  if ((p.m.size * p.k.size + p.k.size * p.n.size + p.m.size * p.n.size) * Dim{sizeof(float)} > xsmm::kCacheBytes) {
    return "larger than the cache";
  }
  return {};
}

libxsmm_smmfunction code(const StridedProducts& p, bool add) {
  const auto m = static_cast<libxsmm_blasint>(p.n.size), n = static_cast<libxsmm_blasint>(p.m.size);
  const auto k = static_cast<libxsmm_blasint>(p.k.size);
  // The distance of rows; that of a single row does not matter, but must be valid.
  const auto lda = static_cast<libxsmm_blasint>(p.transpose_b() ? p.n.size : std::max(p.k.b, p.n.size));
  const auto ldb =
      static_cast<libxsmm_blasint>(p.transpose_a() ? std::max(p.k.a, p.m.size) : std::max(p.m.a, p.k.size));
  const auto ldc = static_cast<libxsmm_blasint>(std::max(p.m.c, p.n.size));
  const float alpha = 1, beta = add ? 1 : 0;
  const int flags = p.transpose_a() ? LIBXSMM_GEMM_FLAG_TRANS_B : LIBXSMM_GEMM_FLAG_NONE;
  return libxsmm_smmdispatch(m, n, k, &lda, &ldb, &ldc, &alpha, &beta, &flags, nullptr);
}

}  // namespace

Prepared prepare_einsum_xsmm(const KernelRequest& request) {
  if (request.outputs[0].dtype != Dtype::float32) return "only float32";
  if (request.inputs[0].shape.elements() == 0 || request.inputs[1].shape.elements() == 0) return "an empty operand";
  const auto found = strided_products(
      einsum_loops(dynamic_cast<const EinsumOp&>(request.op).equation(), request.inputs, request.outputs[0]));
  if (found.empty()) return "the contiguous axis of the result is in both operands";
  const StridedProducts& p = found[0];
  if (std::string reason = refusal(p); !reason.empty()) return reason;
  const auto first = code(p, false), next = code(p, true);
  if (first == nullptr || next == nullptr) return "libxsmm has no code for this shape";
  const bool copy = p.transpose_b();
  return make_kernel(
      [p, first, next, copy, outer = loop_offsets(p.outer), terms = loop_offsets(p.terms)](const KernelArgs& args) {
        auto* packed = static_cast<float*>(args.scratch);
        for (const EinsumLoop& at : outer) {
          float* c = args.output<float>() + at.c;
          for (const EinsumLoop& term : terms) {
            const float* b = args.input<float>(p.swapped ? 0 : 1) + at.b + term.b;
            if (copy) xsmm::transpose(b, packed, p.n.size, p.k.size, p.n.b);
            (&term == terms.data() ? first : next)(copy ? packed : b,
                                                   args.input<float>(p.swapped ? 1 : 0) + at.a + term.a, c);
          }
        }
      },
      copy ? static_cast<std::size_t>(p.k.size * p.n.size) * sizeof(float) : 0);
}

}  // namespace strata
