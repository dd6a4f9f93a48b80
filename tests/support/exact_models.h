// SPDX-License-Identifier: Apache-2.0
// Models of each kind whose training has to give the same bits on any ranks, and made-up data for them.
#pragma once

#include <string>

#include "core/training/model.h"

namespace strata::testing {

struct ExactModel {
  Model model;
  Losses loss;
  LossWeights loss_weights = {};
  Metrics metrics = {"accuracy"};
};

/// "mlp" (the guide's first), "convolutions" (BatchNormalization and Dropout), "tickets" (the guide's: LSTM, Embedding,
/// two outputs) or "toy_resnet" (the guide's). New, with weights that follow from the session's seed. Throws
/// ConfigError for another name.
ExactModel exact_model(const std::string& name);
/// The same samples every time; `part` tells sets of them apart.
Samples exact_samples(const std::string& name, Dim samples, std::uint64_t part);

}  // namespace strata::testing
