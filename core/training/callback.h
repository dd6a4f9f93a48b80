// SPDX-License-Identifier: Apache-2.0
// Callbacks: what runs between steps and epochs of fit. They run on every rank with equal logs.
#pragma once

#include <chrono>
#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/config.h"
#include "core/base/shape.h"
#include "core/tensor/tensor.h"

namespace strata {

/// Named values in the order Keras prints them: loss, metrics, then val_ ones.
using Logs = std::vector<std::pair<std::string, double>>;

/// The value of `name`, or null when it is not there.
const double* find_log(const Logs& logs, const std::string& name);

/// Changes the value of `name`, or adds it at the end.
void set_log(Logs& logs, const std::string& name, double value);

/// What fit tells its callbacks before it begins.
struct TrainingParameters {
  Dim batch_size = 0;
  int epochs = 0;
  Dim steps = 0;    // an epoch
  Dim samples = 0;  // an epoch
  Dim validation_samples = 0;
  int verbose = 1;
  bool validates = false;
  int rank = 0;  // writers act on rank 0 only
};

class Model;

/// Whatever callbacks may see and change of the run.
class TrainingControl {
 public:
  virtual ~TrainingControl() = default;
  /// Ends training after the current batch or epoch, on all ranks at the same step.
  virtual void stop_training() = 0;
  virtual double learning_rate() const = 0;
  virtual void set_learning_rate(double learning_rate) = 0;
  /// The model that is being trained.
  virtual Model model() const = 0;
  /// Whether a larger value of this log is better; empty when nothing is known of it.
  virtual std::optional<bool> larger_is_better(const std::string& log) const = 0;
  /// Runs `act` on rank 0. Collective: when it throws there, every rank gets an error; IoError naming `path` on others.
  virtual void on_rank_0(const std::string& path, const std::function<void()>& act) = 0;
  /// Writes a checkpoint into `directory` (see checkpoint.h), where the last `keep` stay: the run that continues it
  /// ends with the same bits. From between_steps(). Collective. Throws IoError on all ranks when it cannot be written;
  /// those that were there before still are there then.
  virtual void save_run(const std::string& directory, int keep) = 0;
  /// Continues the run whose newest complete checkpoint is there, once all callbacks have begun; false when there is
  /// none. From on_train_begin(). Collective. Throws IoError when all that there are are damaged, ConfigError naming
  /// what is another in this model or run.
  virtual bool resume_run(const std::string& directory) = 0;
  /// Removes the checkpoints of the directory, and the directory when nothing else is in it. Collective.
  virtual void remove_runs(const std::string& directory) = 0;
};

/// What a callback remembers of a run, so that another can continue it.
struct CallbackState {
  std::string callback = {};  // its class; "" = it remembers nothing
  Config values = {};
  std::vector<Tensor> tensors = {};
};

/// Derive and override. All members are called from the thread that called fit.
class Callback {
 public:
  virtual ~Callback() = default;

  void attach(TrainingControl* control, const TrainingParameters& parameters) {
    control_ = control;
    parameters_ = parameters;
  }

  virtual void on_train_begin() {}
  virtual void on_train_end(const Logs&) {}
  virtual void on_epoch_begin(int /*epoch*/) {}  // 0-based, here and below
  /// May add to the logs, for the callbacks after this one and the history.
  virtual void on_epoch_end(int /*epoch*/, Logs&) {}
  virtual void on_train_batch_begin(Dim /*batch*/) {}
  virtual void on_train_batch_end(Dim /*batch*/, const Logs&) {}
  virtual void on_test_begin() {}
  virtual void on_test_batch_begin(Dim /*batch*/) {}
  virtual void on_test_batch_end(Dim /*batch*/, const Logs&) {}
  virtual void on_test_end(const Logs&) {}
  /// When all callbacks have been told of the end of a batch or an epoch and all ranks know whether training stops.
  virtual void between_steps() {}

  virtual CallbackState state() const { return {}; }
  /// What state() returned in the run that this one continues; after on_train_begin(). In the middle of an epoch
  /// on_epoch_begin() comes first, for the rest of that epoch, and then this once more.
  virtual void restore_state(const CallbackState&) {}

 protected:
  TrainingControl& control() const { return *control_; }
  const TrainingParameters& parameters() const { return parameters_; }

 private:
  TrainingControl* control_ = nullptr;
  TrainingParameters parameters_;
};

/// A handle on a callback. Made from a callback of any kind, which it then holds, or from a shared pointer to one.
class CallbackRef {
 public:
  template <std::derived_from<Callback> C>
  CallbackRef(C callback)  // NOLINT(google-explicit-constructor)
      : callback_(std::make_shared<C>(std::move(callback))) {}
  template <std::derived_from<Callback> C>
  CallbackRef(std::shared_ptr<C> callback) : callback_(std::move(callback)) {}  // NOLINT(google-explicit-constructor)
  Callback& operator*() const { return *callback_; }
  Callback* operator->() const { return callback_.get(); }

 private:
  std::shared_ptr<Callback> callback_;
};

/// What fit returns: the logs of every epoch, and how long training took.
struct History {
  std::vector<int> epoch;                                            // 0-based
  std::vector<std::pair<std::string, std::vector<double>>> history;  // a name's values, one an epoch
  Dim steps = 0;                                                     // training steps, with those before a restart
  Dim resumed_steps = 0;                                             // of steps, those before this start
  Dim blocks = 0;                                                    // that every batch was cut into
  Dim timed_steps = 0;                                               // those after the first of each start
  double training_seconds = 0.0;                                     // in these, validation excluded
  double data_seconds = 0.0;                                         // likewise, waiting for the samples of a Dataset
  std::chrono::steady_clock::time_point first_step;                  // when the first step had ended

  void append(int epoch_number, const Logs& logs);
  /// Throws ConfigError naming what there is when `name` is not.
  const std::vector<double>& at(const std::string& name) const;
};

}  // namespace strata
