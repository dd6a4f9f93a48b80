// SPDX-License-Identifier: Apache-2.0
// Internal to Model: what all copies of a handle share.
#pragma once

#include "core/training/trainer.h"

namespace strata {

/// A call holds the trainer, so that a callback may compile again.
struct Model::State {
  std::shared_ptr<Functional> graph;
  std::shared_ptr<Trainer> trainer;

  std::shared_ptr<Trainer> compiled() const {
    if (trainer == nullptr || !trainer->compiled()) {
      throw ConfigError("You must compile your model before training/testing. Use `model.compile(optimizer, loss)`.");
    }
    return trainer;
  }

  /// Prediction asks for no loss.
  std::shared_ptr<Trainer> predicting() {
    if (trainer == nullptr) trainer = std::make_shared<Trainer>(graph, nullptr);
    return trainer;
  }
};

}  // namespace strata
