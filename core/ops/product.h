// SPDX-License-Identifier: Apache-2.0
// Internal: what matmul and convolution have in common, the bias and activation that fusion may attach to them.
#pragma once

#include "core/ops/elementwise.h"

namespace strata {

/// What is applied to a product before it is stored: + bias (n,) along the last axis, then an elementwise function.
struct ProductEpilogue {
  bool bias = false;
  std::shared_ptr<const Op> activation;  // an ElementwiseOp of one operand, or null

  explicit operator bool() const { return bias || activation != nullptr; }
  /// " bias relu"; "" when empty.
  std::string text() const;
  /// The activation's loop for this dtype; null when there is none.
  ElementwiseLoop loop(Dtype dtype) const;
};

/// An op of two operands that can add a bias, its third operand, and apply an activation as it stores.
class ProductOp : public Op {
 public:
  const ProductEpilogue& epilogue() const { return epilogue_; }
  /// The same product with this epilogue. It has no gradient rule: fusion comes after differentiation.
  virtual std::shared_ptr<const Op> with_epilogue(ProductEpilogue epilogue) const = 0;

 protected:
  explicit ProductOp(ProductEpilogue epilogue) : epilogue_(std::move(epilogue)) {}
  /// Throws InternalError when there is an epilogue.
  void require_no_epilogue() const;

 private:
  ProductEpilogue epilogue_;
};

/// c[i, j] += bias[j] (bias may be null), then the activation in place, for `rows` rows of n.
template <class T>
void apply_epilogue(T* c, const T* bias, ElementwiseLoop activation, Dim rows, Dim n);

}  // namespace strata
