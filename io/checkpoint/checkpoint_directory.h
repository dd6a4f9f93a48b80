// SPDX-License-Identifier: Apache-2.0
// Internal: checkpoints as directories of files.
#pragma once

#include <functional>
#include <optional>

#include "core/training/checkpoint_store.h"
#include "io/file_system.h"

namespace strata {

inline const std::string kManifestName = "manifest.json";

/// "DIRECTORY/step-00000042".
std::string checkpoint_path(const std::string& directory, std::int64_t step);
/// The step of such a name; empty for other names, also of checkpoints that were set aside.
std::optional<std::int64_t> step_of_name(const std::string& name);

/// Thread-safe, as its file system, which it does not own.
class CheckpointDirectory final : public CheckpointStore {
 public:
  explicit CheckpointDirectory(FileSystem& files) : files_(files) {}

  std::unique_ptr<CheckpointShard> make_shard() const override;
  void commit(const std::string& directory, std::int64_t step, const Config& description,
              const std::vector<StateTensor>& tensors, const std::vector<Config>& shards, int keep) const override;
  std::vector<std::int64_t> steps(const std::string& directory) const override;
  std::string manifest(const std::string& directory, std::int64_t step) const override;
  std::unique_ptr<SavedCheckpoint> open(const std::string& directory, std::int64_t step,
                                        const std::string& manifest) const override;
  std::string set_aside(const std::string& directory, std::int64_t step, const std::string& why) const override;
  void put_mark(const std::string& directory) const override;
  bool finds_mark(const std::string& directory) const override;
  void take_mark(const std::string& directory) const override;
  void remove_all(const std::string& directory) const override;

 private:
  void remove_checkpoint(const std::string& path) const;
  void prune(const std::string& directory, int keep) const;

  FileSystem& files_;
};

// What the parts of it share.

/// Under a temporary name until it is whole; on the disk, with its name, when this returns. `write` gets the file.
void write_whole_file(FileSystem& files, const std::string& directory, const std::string& name,
                      const std::function<void(OutputFile&)>& write);

/// Makes a directory and those above it that are missing; the disk has their names when this returns.
void make_directory_on_disk(FileSystem& files, const std::string& path);

std::unique_ptr<CheckpointShard> make_shard_file(FileSystem& files);
std::unique_ptr<SavedCheckpoint> open_checkpoint(FileSystem& files, const std::string& path, const std::string& text);

}  // namespace strata
