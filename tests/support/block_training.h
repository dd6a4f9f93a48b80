// SPDX-License-Identifier: Apache-2.0
// Training runs of a model whose program sums over blocks: in a layer, and for the denominator of a masked loss.
#pragma once

#include "core/training/model.h"
#include "core/training/step_engine.h"

namespace strata::testing {

/// What a run leaves behind, on every rank.
struct BlockTraining {
  std::vector<float> weights;  // of the model, one after the other
  std::vector<double> sums;    // of all steps
  friend bool operator==(const BlockTraining&, const BlockTraining&) = default;
};

/// int32 (samples, steps) words to float32 (samples, steps, classes) logits, with a mask.
Model block_sum_model();
/// Samples, of which from none to all of their time steps count, and their labels.
Tensor masked_words(Dim samples);
Tensor word_classes(Dim samples);

/// Trains steps of these numbers of samples with plain gradient descent, from the same weights and samples every time.
BlockTraining train_with_block_sums(Communicator& communicator, const std::vector<Dim>& batches,
                                    const EngineOptions& options);

}  // namespace strata::testing
