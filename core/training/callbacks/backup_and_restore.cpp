// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "core/base/error.h"
#include "core/training/callbacks/callbacks.h"

namespace strata::callbacks {
namespace {

namespace fs = std::filesystem;

const std::string kLatest = "latest.h5";
const std::string kPrevious = kLatest + ".bkp";
const std::string kUnfinished = kLatest + ".part";  // how files begin that a killed process was writing

/// What backups left in the directory that is theirs: all, or only what cannot be read.
void remove_backups(const fs::path& directory, bool all) {
  if (!fs::exists(directory)) return;
  for (const auto& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(kUnfinished) || (all && (name == kLatest || name == kPrevious))) fs::remove(entry.path());
  }
  if (all && fs::is_empty(directory)) fs::remove(directory);
}

/// What `act` does to files happens on rank 0; its errors are IoErrors on all ranks.
void on_files(TrainingControl& control, const std::string& directory, const std::function<void()>& act) {
  control.on_rank_0(directory, [&] {
    try {
      act();
    } catch (const fs::filesystem_error& error) {
      throw IoError(directory, std::string("the directory of backups cannot be used: ") + error.what());
    }
  });
}

}  // namespace

BackupAndRestore::BackupAndRestore(std::string backup_dir, const BackupAndRestoreOptions& options)
    : directory_(std::move(backup_dir)), options_(options) {
  if (directory_.empty()) throw ConfigError("BackupAndRestore: Empty `backup_dir` argument passed");
  if (options.save_freq >= 0) return;
  throw ConfigError("BackupAndRestore: expected a save_freq of at least 0, received " +
                    std::to_string(options.save_freq));
}

void BackupAndRestore::on_train_begin() {
  steps_ = 0;
  due_ = false;
  on_files(control(), directory_, [&] { remove_backups(directory_, false); });
  resume();
}

void BackupAndRestore::resume() {
  const fs::path latest = fs::path(directory_) / kLatest, previous = fs::path(directory_) / kPrevious;
  try {
    // Between the two there may be none of the first name for a moment.
    if (!control().resume_run(latest)) control().resume_run(previous);
  } catch (const IoError& error) {
    if (!control().resume_run(previous)) throw;
    print_message(parameters().rank,
                  std::string(error.what()) + ". Training continues from " + previous.string() + ".");
  }
}

void BackupAndRestore::on_train_batch_end(Dim, const Logs&) {
  if (options_.save_freq > 0 && ++steps_ >= options_.save_freq) due_ = true;
}

void BackupAndRestore::on_epoch_end(int, Logs&) {
  if (options_.save_freq == 0) due_ = true;
}

void BackupAndRestore::between_steps() {
  if (!due_) return;
  due_ = false;
  steps_ = 0;
  const fs::path latest = fs::path(directory_) / kLatest;
  if (options_.double_checkpoint) {
    on_files(control(), directory_, [&] {
      if (fs::exists(latest)) fs::rename(latest, fs::path(directory_) / kPrevious);
    });
  }
  control().save_run(latest);
}

void BackupAndRestore::on_train_end(const Logs&) {
  if (options_.delete_checkpoint) on_files(control(), directory_, [&] { remove_backups(directory_, true); });
}

}  // namespace strata::callbacks
