// SPDX-License-Identifier: Apache-2.0
// The callbacks of Keras. They run on every rank with equal logs, and so decide alike; rank 0 alone prints and writes.
//     model.fit(x, y, {.callbacks = {callbacks::EarlyStopping({.patience = 3}), callbacks::CSVLogger("log.csv")}});
//     model.fit(x, y, {.callbacks = {callbacks::ModelCheckpoint("{epoch:02d}-{val_loss:.2f}.h5"),
//                                    callbacks::BackupAndRestore("backup", {.save_freq = 100})}});
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
  CallbackState state() const override;
  void restore_state(const CallbackState& state) override;

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
  CallbackState state() const override;
  void restore_state(const CallbackState& state) override;

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

struct ModelCheckpointOptions {
  std::string monitor = "val_loss";
  int verbose = 0;
  bool save_best_only = false;  // only when `monitor` is better than it ever was
  bool save_weights_only = false;
  std::string mode = "auto";
  Dim save_freq = 0;                                   // training steps between two saves; 0 = after every epoch
  std::optional<double> initial_value_threshold = {};  // what the first best has to be better than
};

/// Saves the model, or its weights, after every epoch or every so many steps. `filepath` may hold {epoch} (from 1), the
/// name of any log, and when saving between epochs {batch} (from 1), each with a format:
/// "{epoch:02d}-{val_loss:.2f}.h5". Throws ConfigError for a path that Model::save or save_weights does not take, at
/// once, and for a name that is none of the logs, naming those, at the first save. Throws IoError on all ranks when a
/// file cannot be written; the one that had that name before is still there then.
class ModelCheckpoint final : public Callback {
 public:
  explicit ModelCheckpoint(std::string filepath, const ModelCheckpointOptions& options = {});
  void on_epoch_begin(int epoch) override { epoch_ = epoch; }
  void on_train_batch_end(Dim batch, const Logs& logs) override;
  void on_epoch_end(int epoch, Logs& logs) override;
  CallbackState state() const override;
  void restore_state(const CallbackState& state) override;

  std::optional<double> best() const { return best_; }

 private:
  void save(std::optional<Dim> batch, const Logs& logs);
  bool should_save(const Logs& logs, const std::string& path);
  void say(const std::string& what) const;

  std::string filepath_;
  ModelCheckpointOptions options_;
  Monitor monitor_;
  std::optional<double> best_;
  int epoch_ = 0;
  Dim steps_ = 0;  // since the last save
};

struct BackupAndRestoreOptions {
  Dim save_freq = 0;               // training steps between two; 0 = after every epoch
  bool double_checkpoint = false;  // keeps the one before, for when the last one is damaged
  bool delete_checkpoint = true;   // when training has ended
};

/// Makes a checkpoint of training in a directory of its own; when the process ends before training does, at whatever
/// instant, the same program started again continues where the last one was made, also in the middle of an epoch. It
/// ends with the same bits as if it had never stopped: weights, optimizer, shuffling, random draws, logs and history,
/// the states that stateful layers carry from batch to batch,
/// what the callbacks of this folder remember. It waits until each is on the disk; `checkpoint` of FitOptions, the same
/// otherwise, does not.
///
/// Ranks must see the same directory; their number may change. Throws ConfigError when fit has another model, other
/// data or arguments than the run that made the checkpoint (epochs and max_steps may change), IoError on all ranks when
/// all that there are are damaged, and when one cannot be written.
class BackupAndRestore final : public Callback {
 public:
  explicit BackupAndRestore(std::string backup_dir, const BackupAndRestoreOptions& options = {});
  void on_train_begin() override;
  void on_train_batch_end(Dim batch, const Logs& logs) override;
  void on_epoch_end(int epoch, Logs& logs) override;
  void between_steps() override;
  void on_train_end(const Logs& logs) override;

 private:
  std::string directory_;
  BackupAndRestoreOptions options_;
  Dim steps_ = 0;  // since the last backup
  bool due_ = false;
};

struct CSVLoggerOptions {
  std::string separator = ",";
  bool append = false;  // to what an earlier run has written
};

/// Writes the logs of every epoch as a line of a file (on rank 0), under a header of names in alphabetical order; lines
/// end with CR LF, missing values are NA. A run that is continued from a checkpoint leaves the file that it would have
/// left without. Throws IoError when the file cannot be written.
class CSVLogger final : public Callback {
 public:
  explicit CSVLogger(std::string filename, const CSVLoggerOptions& options = {});
  void on_train_begin() override;
  void on_epoch_end(int epoch, Logs& logs) override;
  void on_train_end(const Logs& logs) override;
  CallbackState state() const override;
  void restore_state(const CallbackState& state) override;

 private:
  void open();
  void cut();
  void write(const std::vector<std::string>& fields);
  void put(const std::string& line);

  std::string filename_;
  CSVLoggerOptions options_;
  std::shared_ptr<std::FILE> file_;
  bool header_ = true;  // still to be written
  std::vector<std::string> keys_;
  std::string text_;        // what this run has written
  std::int64_t begin_ = 0;  // how long the file was before
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
