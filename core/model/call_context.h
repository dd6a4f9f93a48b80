// SPDX-License-Identifier: Apache-2.0
// What a layer sees of the step that calls it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/ops/ops.h"
#include "core/tensor/variable.h"

namespace strata {

/// What the caller of a layer may say.
struct CallOptions {
  std::optional<bool> training;  // empty = as the outer call, false outermost
};

/// How the values that blocks computed for one state become the new state.
enum class Combine {
  mean,  // over blocks, weighted by their samples: moving averages
  sum,   // over blocks: counters
};

/// A new value for a variable that training changes without a gradient.
struct StateUpdate {
  Variable variable;
  Tensor value;  // of the variable's spec
  Combine combine;
};

/// One trace of a model's function: what is common to all its layer calls, and what they left behind.
struct Trace {
  bool training = false;
  Tensor random_state;                // int64 [3]: seed, step, global sample index of row 0
  std::vector<StateUpdate> updates;
  std::vector<Tensor> losses;         // scalars from add_loss, each counted once a step
};

/// Handed to Layer::call. Lives for one call.
class CallContext {
 public:
  /// `path` is unique to this call within the model, such as "encoder/dropout_1#0".
  CallContext(Trace& trace, std::string path, bool training)
      : trace_(trace), path_(std::move(path)), training_(training) {}

  bool training() const { return training_; }
  const std::string& path() const { return path_; }
  /// A key that differs for every draw of every call in a step.
  RandomKey random_key();
  /// Sets `variable` after the step.
  void update(const Variable& variable, const Tensor& value, Combine combine) {
    trace_.updates.push_back({variable, value, combine});
  }
  /// Adds a scalar to the loss, once a step however many blocks and ranks there are.
  void add_loss(const Tensor& loss) { trace_.losses.push_back(loss); }
  /// The context of a layer called within this one.
  CallContext nested(const std::string& name, const CallOptions& options);

 private:
  Trace& trace_;
  std::string path_;
  bool training_;
  int draws_ = 0;
  int calls_ = 0;
};

/// A 64-bit hash of a name, the same in every process: streams of random numbers are keyed by it.
std::uint64_t hash_name(const std::string& name);

}  // namespace strata
