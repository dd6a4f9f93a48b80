// SPDX-License-Identifier: Apache-2.0
// The callbacks of Keras. They run on every rank with equal logs, and so decide alike; rank 0 alone prints and writes.
//     model.fit(x, y, {.callbacks = {callbacks::EarlyStopping({.patience = 3}), callbacks::CSVLogger("log.csv")}});
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/tensor/tensor.h"
#include "core/training/callbacks/monitor.h"

namespace strata::callbacks {

struct EarlyStoppingOptions {
  std::string monitor = "val_loss";
  double min_delta = 0.0;  // what counts as an improvement, in absolute value
  int patience = 0;        // epochs without improvement after which training stops
  int verbose = 0;
  std::string mode = "auto";
  std::optional<double> baseline = {};  // patience ends unless this is improved on
  bool restore_best_weights = false;    // at the end of training, also when it was not stopped early
  int start_from_epoch = 0;
};

/// Stops training when a log has stopped improving.
class EarlyStopping final : public Callback {
 public:
  explicit EarlyStopping(const EarlyStoppingOptions& options = {});
  void on_train_begin() override;
  void on_epoch_end(int epoch, Logs& logs) override;
  void on_train_end(const Logs& logs) override;

  /// The epoch (0-based) after which training was stopped; 0 when it was not.
  int stopped_epoch() const { return stopped_epoch_; }
  int best_epoch() const { return best_epoch_; }
  std::optional<double> best() const { return best_; }

 private:
  void keep_weights();

  EarlyStoppingOptions options_;
  Monitor monitor_;
  int wait_ = 0;
  int stopped_epoch_ = 0;
  int best_epoch_ = 0;
  std::optional<double> best_;
  std::vector<Tensor> best_weights_;
};

struct ReduceLROnPlateauOptions {
  std::string monitor = "val_loss";
  double factor = 0.1;  // of the learning rate; below 1
  int patience = 10;    // epochs without improvement after which it is reduced
  int verbose = 0;
  std::string mode = "auto";
  double min_delta = 1e-4;
  int cooldown = 0;  // epochs to wait after a reduction
  double min_lr = 0.0;
};

/// Multiplies the learning rate when a log has stopped improving; adds "learning_rate" to the logs. Throws ConfigError
/// for a factor of 1 or more.
class ReduceLROnPlateau final : public Callback {
 public:
  explicit ReduceLROnPlateau(const ReduceLROnPlateauOptions& options = {});
  void on_train_begin() override;
  void on_epoch_end(int epoch, Logs& logs) override;

 private:
  bool reduce(int epoch);

  ReduceLROnPlateauOptions options_;
  Monitor monitor_;
  std::optional<double> best_;
  int wait_ = 0;
  int cooldown_ = 0;
};

/// Sets the learning rate of each epoch to schedule(epoch, present rate), epochs counting from 0; adds "learning_rate"
/// to the logs.
class LearningRateScheduler final : public Callback {
 public:
  using Schedule = std::function<double(int epoch, double learning_rate)>;
  explicit LearningRateScheduler(Schedule schedule, int verbose = 0)
      : schedule_(std::move(schedule)), verbose_(verbose) {}
  void on_epoch_begin(int epoch) override;
  void on_epoch_end(int epoch, Logs& logs) override;

 private:
  Schedule schedule_;
  int verbose_;
};

struct CSVLoggerOptions {
  std::string separator = ",";
  bool append = false;  // to what an earlier run has written
};

/// Writes the logs of every epoch as a line of a file (on rank 0), under a header of names in alphabetical order; lines
/// end with CR LF, missing values are NA. Throws IoError when the file cannot be written.
class CSVLogger final : public Callback {
 public:
  explicit CSVLogger(std::string filename, const CSVLoggerOptions& options = {});
  void on_train_begin() override;
  void on_epoch_end(int epoch, Logs& logs) override;
  void on_train_end(const Logs& logs) override;

 private:
  void write(const std::vector<std::string>& fields);

  std::string filename_;
  CSVLoggerOptions options_;
  std::shared_ptr<std::FILE> file_;
  bool header_ = true;  // still to be written
  std::vector<std::string> keys_;
};

/// Stops training, or throws ConfigError when `raise_error`, after a batch whose loss is not finite.
class TerminateOnNaN final : public Callback {
 public:
  explicit TerminateOnNaN(bool raise_error = false) : raise_error_(raise_error) {}
  void on_train_batch_end(Dim batch, const Logs& logs) override;

 private:
  bool raise_error_;
};

struct LambdaCallbackOptions {
  std::function<void(int epoch)> on_epoch_begin = {};
  std::function<void(int epoch, Logs& logs)> on_epoch_end = {};
  std::function<void()> on_train_begin = {};
  std::function<void(const Logs& logs)> on_train_end = {};
  std::function<void(Dim batch)> on_train_batch_begin = {};
  std::function<void(Dim batch, const Logs& logs)> on_train_batch_end = {};
};

/// Calls the functions that are given.
class LambdaCallback final : public Callback {
 public:
  explicit LambdaCallback(LambdaCallbackOptions functions) : functions_(std::move(functions)) {}
  void on_epoch_begin(int epoch) override;
  void on_epoch_end(int epoch, Logs& logs) override;
  void on_train_begin() override;
  void on_train_end(const Logs& logs) override;
  void on_train_batch_begin(Dim batch) override;
  void on_train_batch_end(Dim batch, const Logs& logs) override;

 private:
  LambdaCallbackOptions functions_;
};

}  // namespace strata::callbacks
