// SPDX-License-Identifier: Apache-2.0
// Internal to einsum: the op, and what its kernel candidates share.
#pragma once

#include "core/ops/einsum.h"
#include "core/ops/registry.h"

namespace strata {

/// What an einsum op computes when it is no single matrix product. Every letter is in at least two of a, b and result.
class EinsumOp final : public Op {
 public:
  explicit EinsumOp(EinsumEquation equation) : equation_(std::move(equation)) {}
  std::string_view name() const override { return "einsum"; }
  std::string attributes() const override { return equation_.str(); }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  std::vector<Gradient> gradient(const GradientArgs& args) const override;
  const EinsumEquation& equation() const { return equation_; }

 private:
  EinsumEquation equation_;
};

/// The letters by where they are, each list in the order of the result (those to sum over: in the order of a).
struct EinsumLetters {
  std::string batch;  // in both operands and the result
  std::string m;      // in a and the result
  std::string n;      // in b and the result
  std::string k;      // in both operands: summed over
};
EinsumLetters sort_letters(const EinsumEquation& equation);

/// A loop of the sum: how far apart its elements are in each tensor, in elements; 0 where it does not reach.
struct EinsumLoop {
  Dim size = 1;
  Dim a = 0, b = 0, c = 0;
};

/// The loops of the sum, outermost first. Neighbours that are one loop in every tensor are joined; loops over one
/// element are left out.
struct EinsumLoops {
  std::vector<EinsumLoop> batch, m, n, k;
};
EinsumLoops einsum_loops(const EinsumEquation& equation, std::span<const TensorSpec> inputs, const TensorSpec& output);

/// Where the elements of these loops are, in order.
std::vector<EinsumLoop> loop_offsets(std::span<const EinsumLoop> loops);

Prepared prepare_einsum_xsmm(const KernelRequest& request);
Prepared prepare_einsum_matmul(const KernelRequest& request);

}  // namespace strata
