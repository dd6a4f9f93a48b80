// SPDX-License-Identifier: Apache-2.0
// Training runs whose optimizer is sharded or not, with all that decides about how its state can be shared.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/training/trainer.h"

namespace strata::testing {

struct SharedTraining {
  std::function<Optimizer()> optimizer;
  std::string policy = "float32";  // of dtypes
  bool rules = false;              // a penalty and a constraint
  bool frozen = false;             // one of the layers
  bool rows = true;                // gradients of the embedding by rows
};

/// What a run leaves behind, on every rank.
struct SharedTrainingResult {
  std::vector<float> weights;
  std::vector<double> losses;              // one a step
  std::vector<std::string> slot_names;     // of the optimizer's state
  std::vector<std::vector<double>> slots;  // likewise
  friend bool operator==(const SharedTrainingResult&, const SharedTrainingResult&) = default;
};

/// Words int32 (samples, 3) to float32 (samples, 2): dense layers on both sides of an embedding, batch normalization.
Model shared_training_model(const SharedTraining& training);
Tensor shared_training_words(Dim samples, int seed, const SharedTraining& training);
Tensor shared_training_targets(Dim samples);

/// Six steps in five blocks, some with fewer samples than blocks, on the ranks of the session.
SharedTrainingResult train_shared(const SharedTraining& training, bool shard);

/// All optimizers of the catalogue with their defaults, by the names of their files.
std::vector<std::pair<std::string, std::function<Optimizer()>>> catalogue_optimizers();

}  // namespace strata::testing
