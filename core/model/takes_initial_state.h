// SPDX-License-Identifier: Apache-2.0
// Internal: which layers take an initial state.
#pragma once

namespace strata {

/// A layer whose call takes CallOptions::initial_state. tf.keras 2 describes such calls with the states as further
/// inputs.
class TakesInitialState {
 public:
  virtual ~TakesInitialState() = default;
};

}  // namespace strata
