// SPDX-License-Identifier: Apache-2.0
// Bidirectional: a recurrent layer that reads its input forwards, and another that reads it backwards.
#pragma once

#include <optional>
#include <string>

#include "layers/rnn.h"

namespace strata::layers {

struct BidirectionalOptions {
  std::optional<std::string> merge_mode = "concat";  // empty = Keras' None
  LayerRef backward_layer = {};                      // none: made from the layer
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

/// Two copies of a recurrent layer, made from its config, that read the input in both directions. The copies have new
/// weights and are named "forward_" and "backward_" + the layer's name; a backward_layer of one's own is used as it is.
///
/// Input as that of the layer, with the initial states of the forward layer, then those of the backward layer. Output:
/// both outputs, in the input's order of time steps, merged by merge_mode: "concat" along the last axis, "sum", "mul",
/// "ave", or both as two outputs; with return_state then the states of both. With return_sequences the output of a
/// masked step is zero, whatever the layer's zero_output_for_mask.
/// Throws ConfigError for a layer that is not recurrent, another merge mode, or a backward layer that does not match.
class Bidirectional : public RecurrentRef {
 public:
  explicit Bidirectional(const LayerRef& layer, const BidirectionalOptions& options = {});
};

}  // namespace strata::layers
