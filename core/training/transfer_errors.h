// SPDX-License-Identifier: Apache-2.0
// Internal: what compressed transfers have rounded away and still owe, as checkpoints keep it. Unlike all else in them
// it belongs to ranks: to what each of them sends to which host.
#pragma once

#include "core/base/config.h"
#include "core/tensor/tensor.h"
#include "core/training/step_engine.h"

namespace strata {

class TransferErrors {
 public:
  /// Of an engine that was prepared, between steps. Collective.
  TransferErrors(const StepEngine& engine, Communicator& communicator);

  /// {"bucket_bytes", "ranks": [{"layout", "elements"}, ...]}; null when nothing is rounded. Equal on all ranks, and
  /// to that of another run where the same numbers have the same meaning.
  const Config& layout() const { return layout_; }
  /// Of this rank, to be taken one after the other.
  const std::vector<RoundingErrors>& own() const { return own_; }
  /// Takes what this rank had, all of it.
  void restore(const Tensor& values) const;

 private:
  std::vector<RoundingErrors> own_;
  Config layout_;
};

}  // namespace strata
