// SPDX-License-Identifier: Apache-2.0
// Sums of products of two tensors, named by an equation.
#pragma once

#include <string>

#include "core/tensor/tensor.h"

namespace strata {

/// An equation "ab,bc->ac" taken apart. Letters name axes; "..." stands for any number of axes, as in NumPy.
struct EinsumEquation {
  std::string a, b, result;
  std::string str() const { return a + "," + b + "->" + result; }
};

/// Takes an equation for operands of these ranks apart; "..." becomes letters that the equation does not use. Throws
/// ConfigError for text that is no equation of two operands, ShapeError where it does not fit the ranks.
EinsumEquation parse_einsum(const std::string& equation, int rank_a, int rank_b);

namespace ops {

/// result[...] = the sum of a[...] b[...] over the letters that the result does not name. Every letter of the result is
/// in an operand; none is twice in one operand or in the result. `bias`, when given, broadcasts onto the result and is
/// added to it. Floating only. Throws ConfigError for a malformed equation, ShapeError or DtypeError for operands that
/// do not fit it.
Tensor einsum(const std::string& equation, const Tensor& a, const Tensor& b, const Tensor& bias = {});

}  // namespace ops
}  // namespace strata
