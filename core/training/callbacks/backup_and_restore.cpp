// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/training/callbacks/callbacks.h"

namespace strata::callbacks {

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
  control().resume_run(directory_);
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
  control().save_run(directory_, options_.double_checkpoint ? 2 : 1);
}

void BackupAndRestore::on_train_end(const Logs&) {
  if (options_.delete_checkpoint) control().remove_runs(directory_);
}

}  // namespace strata::callbacks
