// SPDX-License-Identifier: Apache-2.0
// scan: an op that holds a sub-program and runs it once a time step. What recurrent layers are made of.
#pragma once

#include <functional>
#include <vector>

#include "core/tensor/node.h"

namespace strata {

/// What one step computes: the next carries (of the carries' specs), and this step's outputs.
struct ScanStep {
  std::vector<Tensor> carries;
  std::vector<Tensor> outputs;
};

/// Given the carries before the step and the step's slice of every sequence. May use any tensor from outside.
using ScanBody = std::function<ScanStep(const std::vector<Tensor>& carries, const std::vector<Tensor>& inputs)>;

struct ScanResult {
  std::vector<Tensor> carries;  // after the last step
  std::vector<Tensor> outputs;  // of all steps, stacked along axis 0 in the order of the sequences
};

/// Runs `body` over axis 0 of the sequences (at least one; equally long), from the end when `reverse`. The body is
/// traced once. Differentiable in the initial carries, the sequences and whatever floating tensors the body uses.
/// Throws ShapeError or DtypeError when a carry does not keep its spec, ConfigError without a sequence.
ScanResult scan(const ScanBody& body, const std::vector<Tensor>& initial, const std::vector<Tensor>& sequences,
                bool reverse = false);

}  // namespace strata
