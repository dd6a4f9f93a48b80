// SPDX-License-Identifier: Apache-2.0
// Internal: where a run of fit stands between two steps.
#pragma once

#include <string>
#include <vector>

#include "core/training/callback.h"

namespace strata {

/// What a run is besides its model and optimizer.
struct RunProgress {
  Config plan = {};  // what decides about the steps: an object, equal when the run is continued
  int epoch = 0;     // the next step's, 0-based
  Dim step = 0;      // the next one of that epoch; 0 = the epoch has not begun
  bool stopped = false;
  double learning_rate = 0.0;       // exactly, where the optimizer's state has the float32 next to it
  std::vector<double> totals = {};  // of the epoch's logs
  Dim samples = 0;                  // likewise
  Dim left_out = 0;                 // steps of the epoch, by the nan_policy
  History history = {};
  std::vector<CallbackState> callbacks = {};
};

/// All but the tensors of the callbacks, of which it has the numbers.
Config progress_config(const RunProgress& run);
/// What progress_config() made; `tensors` are those of all callbacks. Throws ConfigError for what it did not make.
RunProgress progress_of(const Config& config, const std::vector<Tensor>& tensors);

/// Of those callbacks that remember something, in order.
std::vector<CallbackState> states_of(const std::vector<CallbackRef>& callbacks);

/// Gives every callback the first state of its class that no other has taken. Those without one, and states whose
/// callback is gone, stay as they are.
void restore_states(const std::vector<CallbackRef>& callbacks, std::vector<CallbackState> states);

/// Throws ConfigError naming the first difference, at whatever depth: "<path>: the run that made this checkpoint had
/// <name> = 1, this one has 2."; `name` is "" for objects whose members are what is named.
void require_same(const std::string& path, const std::string& name, const Config& saved, const Config& now);

}  // namespace strata
