// SPDX-License-Identifier: Apache-2.0
// Internal to compilation: the op that copies.
#pragma once

#include "core/ops/kernel.h"

namespace strata {

class CopyOp final : public Op {
 public:
  std::string_view name() const override { return "copy"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override { return {inputs[0]}; }
  std::vector<Gradient> gradient(const GradientArgs& args) const override;
};

/// The kernel of ops whose output has the bytes of their input, in memory of its own.
Candidate copy_candidate();

}  // namespace strata
