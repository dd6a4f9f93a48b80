// SPDX-License-Identifier: Apache-2.0
// Internal to the recurrent layers: the loop of a cell over the time steps of a sequence, as one scan.
#pragma once

#include "layers/recurrent_layer.h"

namespace strata {

struct TimeLoop {
  Cell& cell;
  const RecurrentOptions& options;
  Tensor sequences = {};             // (time, batch, features...)
  Tensor mask = {};                  // bool (time, batch), or empty
  std::vector<Tensor> initial = {};  // states
};

struct TimeLoopResult {
  Tensor output = {};  // of the last step, or (time, batch, ...) of all, in the order in which they were computed
  std::vector<Tensor> states = {};
};

/// `first` is the input of one step, for its shape. Throws ConfigError when the cell adds losses or updates variables.
TimeLoopResult run_time_loop(const TimeLoop& loop, const Tensor& first, CallContext& context);

}  // namespace strata
