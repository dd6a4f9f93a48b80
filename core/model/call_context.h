// SPDX-License-Identifier: Apache-2.0
// What a layer sees of the step that calls it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
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
  mean,  // the state becomes the mean over blocks, weighted by their samples: moving averages
  sum,   // the state grows by the sum over blocks: counters
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

/// Handed to Layer::call. Lives for one call, in one thread.
class CallContext {
 public:
  /// `path` is unique to this call within the model, such as "encoder#0/dropout_1#0"; "" for the outermost model.
  CallContext(Trace& trace, std::string path, bool training)
      : trace_(trace), path_(std::move(path)), training_(training) {}

  bool training() const { return training_; }
  const std::string& path() const { return path_; }
  /// A key that differs for every draw of every call in a step.
  RandomKey random_key();
  /// Sets `variable` after the step. Throws ShapeError or DtypeError when `value` cannot have the variable's spec.
  void update(const Variable& variable, const Tensor& value, Combine combine);
  /// Adds a scalar to the loss, once a step however many blocks and ranks there are. Throws ShapeError for any other
  /// shape.
  void add_loss(const Tensor& loss);
  /// The context of a layer called within this one. Calls of one name are numbered: "path/name#0", "path/name#1".
  CallContext nested(const std::string& name, const CallOptions& options);

  /// The layer call that this thread is in the middle of; null outside of layers.
  static CallContext* current();

 private:
  Trace& trace_;
  std::string path_;
  bool training_;
  int draws_ = 0;
  std::unordered_map<std::string, int> calls_;
};

/// Makes `context` this thread's current one until the end of the scope; null = as outside of layers.
class CallScope {
 public:
  explicit CallScope(CallContext* context);
  ~CallScope();
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;

 private:
  CallContext* previous_;
};

}  // namespace strata
