// SPDX-License-Identifier: Apache-2.0
// What a checkpoint holds, and the seam to those who write and read its files. See io/checkpoint.md for these.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/config.h"
#include "core/tensor/tensor.h"

namespace strata {

/// A tensor of a run's state, the same on all ranks and on any number of them.
struct StateTensor {
  std::string name;  // "weights/dense/kernel"; unique
  TensorSpec spec;
  friend bool operator==(const StateTensor&, const StateTensor&) = default;
};

/// Elements of a tensor, row-major, that one rank writes.
struct StatePart {
  std::size_t tensor = 0;  // its number
  Dim first = 0;
  Dim count = 0;
  Buffer source = {};  // of the first of these elements; any device
};

/// What this rank writes of one checkpoint after the other. The members are called one after the other, from any
/// thread.
class CheckpointShard {
 public:
  virtual ~CheckpointShard() = default;
  /// Copies the parts, which may change again when this returns: at the speed of memory, except when they are others
  /// than before. Throws IoError.
  virtual void copy(const std::vector<StateTensor>& tensors, const std::vector<StatePart>& parts) = 0;
  /// Writes what was copied as shard `number` of `count`; it is on the disk when this returns. Returns what the
  /// manifest is to say of it. Throws IoError.
  virtual Config write(const std::string& directory, std::int64_t step, int number, int count) = 0;
};

/// A checkpoint that was found complete: its manifest is sound.
class SavedCheckpoint {
 public:
  virtual ~SavedCheckpoint() = default;
  virtual const std::string& path() const = 0;
  virtual const Config& description() const = 0;  // as commit() got it
  virtual const std::vector<StateTensor>& tensors() const = 0;
  virtual int shards() const = 0;
  // Each throws IoError naming the file and, where it is an array that is damaged, the array.
  /// Reads every file once, from beginning to end, and checks all sizes and checksums. Returns the tensors that
  /// `wanted` says, one flag a tensor; the others are none.
  virtual std::vector<Tensor> read_all(const std::vector<bool>& wanted) const = 0;
  /// Reads tensor `number` and checks the checksums of all its pieces.
  virtual Tensor read(std::size_t number) const = 0;
  /// Checks all of a file and keeps nothing of it.
  virtual void verify_shard(int number) const = 0;
};

/// Implemented by io. A checkpoint of step n in a directory is complete once it is committed. Thread-safe. Every member
/// throws IoError naming the file.
class CheckpointStore {
 public:
  virtual ~CheckpointStore() = default;
  virtual std::unique_ptr<CheckpointShard> make_shard() const = 0;
  /// Writes the manifest, last of all: `description`, the tensors, and what the shards said of themselves, in their
  /// order. Then all but the newest `keep` complete ones go, and unfinished ones that are older.
  virtual void commit(const std::string& directory, std::int64_t step, const Config& description,
                      const std::vector<StateTensor>& tensors, const std::vector<Config>& shards, int keep) const = 0;
  /// Of checkpoints with a manifest, whatever is in it, ascending.
  virtual std::vector<std::int64_t> steps(const std::string& directory) const = 0;
  /// The bytes of a manifest; not yet checked.
  virtual std::string manifest(const std::string& directory, std::int64_t step) const = 0;
  /// From these bytes. Throws IoError for a manifest that is damaged, ConfigError for one of a later version.
  virtual std::unique_ptr<SavedCheckpoint> open(const std::string& directory, std::int64_t step,
                                                const std::string& manifest) const = 0;
  /// Gives it another name, by which no run continues it; `why` becomes part of it. Returns the name.
  virtual std::string set_aside(const std::string& directory, std::int64_t step, const std::string& why) const = 0;
  /// Makes the directory, with a file in it by which others tell whether they see the same; see finds_mark().
  virtual void put_mark(const std::string& directory) const = 0;
  virtual bool finds_mark(const std::string& directory) const = 0;
  virtual void take_mark(const std::string& directory) const = 0;
  /// Removes all checkpoints, complete or not, and the directory if nothing else is in it.
  virtual void remove_all(const std::string& directory) const = 0;
};

/// What checkpoints are written and read with. Set once, by io; lives for ever.
void set_checkpoint_store(const CheckpointStore* store);
/// Throws InternalError when none is set.
const CheckpointStore& checkpoint_store();

}  // namespace strata
