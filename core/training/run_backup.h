// SPDX-License-Identifier: Apache-2.0
// Internal: files from which a run of fit goes on where it stood between two steps.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/training/trainer.h"

namespace strata {

/// What a run is besides its model and optimizer.
struct RunBackup {
  Config plan = {};  // what decides about the steps: an object, equal when the run is continued
  int epoch = 0;     // the next step's, 0-based
  Dim step = 0;      // the next one of that epoch; 0 = the epoch has not begun
  bool stopped = false;
  double learning_rate = 0.0;       // exactly, where the optimizer's state has the float32 next to it
  std::vector<double> totals = {};  // of the epoch's logs
  Dim samples = 0;                  // likewise
  std::vector<CallbackState> callbacks = {};
};

/// Of those callbacks that remember something, in order.
std::vector<CallbackState> states_of(const std::vector<CallbackRef>& callbacks);

/// Gives every callback the first state of its class that no other has taken. Those without one, and states whose
/// callback is gone, stay as they are.
void restore_states(const std::vector<CallbackRef>& callbacks, std::vector<CallbackState> states);

/// Writes it with the weights and the state of the optimizer. Collective: rank 0 writes; throws IoError on all ranks
/// when it cannot.
void write_backup(const std::string& path, const Functional& model, const Trainer& trainer, const RunBackup& run);

/// Sets weights and optimizer as they were; empty when there is no such file. Collective: every rank reads. Throws
/// IoError for a file that is damaged or does not fit, or that some ranks do not find, ConfigError naming the first
/// member of `plan` that was another.
std::optional<RunBackup> read_backup(const std::string& path, const Functional& model, Trainer& trainer,
                                     const Config& plan);

}  // namespace strata
