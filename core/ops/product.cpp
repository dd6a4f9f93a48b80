// SPDX-License-Identifier: Apache-2.0
#include "core/ops/product.h"

#include "core/base/error.h"

namespace strata {
namespace {

template <class T>
STRATA_SIMD_CLONES void add_rows(T* c, const T* bias, Dim rows, Dim n) {
  for (Dim i = 0; i < rows; ++i) {
    T* row = c + i * n;
#pragma GCC ivdep
    for (Dim j = 0; j < n; ++j) row[j] += bias[j];
  }
}

}  // namespace

template <class T>
void apply_epilogue(T* c, const T* bias, ElementwiseLoop activation, Dim rows, Dim n) {
  if (bias != nullptr) add_rows(c, bias, rows, n);
  if (activation == nullptr) return;
  const void* operands[1] = {c};
  activation(operands, c, rows * n);
}
template void apply_epilogue(float*, const float*, ElementwiseLoop, Dim, Dim);
template void apply_epilogue(double*, const double*, ElementwiseLoop, Dim, Dim);

std::string ProductEpilogue::text() const {
  return std::string(bias ? " bias" : "") + (activation ? " " + std::string(activation->name()) : "");
}

ElementwiseLoop ProductEpilogue::loop(Dtype dtype) const {
  if (activation == nullptr) return nullptr;
  return dynamic_cast<const ElementwiseOp&>(*activation).loop(std::span(&dtype, 1));
}

void ProductOp::require_no_epilogue() const {
  if (epilogue_) throw InternalError(std::string(name()) + ": a fused product has no gradient rule");
}

}  // namespace strata
