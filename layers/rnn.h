// SPDX-License-Identifier: Apache-2.0
// RNN: repeats a cell over the time steps of a sequence.
#pragma once

#include <optional>

#include "layers/cell.h"

namespace strata::layers {

/// What every recurrent layer can do besides being called.
class RecurrentRef : public LayerRef {
 public:
  using LayerRef::LayerRef;
  /// Sets the states that a stateful layer keeps between batches to zero. Nothing to do for others.
  void reset_state() const;
};

struct RNNOptions {
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  bool unroll = false;
  bool zero_output_for_mask = false;
  Regularizer activity_regularizer = {};
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

/// Repeats `cell`, a layer that derives from Cell, over axis 1 of the input; several cells are stacked, each reading
/// the output of the one before it (StackedRNNCells).
///
/// Input (batch, time, features...), then optionally the initial states: `rnn({x, h, c})`, or as the call option
/// initial_state; the cell's get_initial_state() otherwise. Output (batch,) + output_size of the last step, or (batch,
/// time) + output_size with return_sequences, in reverse order with go_backwards; then the last states with
/// return_state.
///
/// Where the mask (batch, time) of the input is false, states stay as they are and the output of the step before is
/// repeated (zeros at the first step); with zero_output_for_mask the output is zero there.
///
/// stateful: the last states of a batch are the first of the next, in training and inference alike, until
/// reset_state(). Row i of a state belongs to sample i of the batch, so the input needs a fixed batch size (ConfigError
/// without it) and every batch must have it (ConfigError). Blocks and ranks read and write the rows of their own
/// samples: the states, equal on all ranks after a step, do not depend on how a batch is cut. Shuffling between epochs
/// would give the states of one sequence to another: fit with shuffle = false. As in Keras states are no weights, and
/// no part of files.
///
/// unroll is accepted; it changes nothing, as the loop's body is compiled in either case. It needs a known number of
/// steps: ConfigError.
class RNN : public RecurrentRef {
 public:
  /// Throws ConfigError for a layer that is no cell.
  explicit RNN(const LayerRef& cell, const RNNOptions& options = {});
  explicit RNN(const std::vector<LayerRef>& cells, const RNNOptions& options = {});
};

}  // namespace strata::layers
