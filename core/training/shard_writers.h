// SPDX-License-Identifier: Apache-2.0
// Internal: which ranks write the files of a checkpoint.
#pragma once

#include <memory>
#include <vector>

#include "core/program/communicator.h"
#include "core/training/checkpoint_store.h"

namespace strata {

/// The file that a rank writes, or none.
struct ShardPlace {
  int number = 0;
  int count = 1;  // files
  bool writes = true;
};

/// Each rank, or when there are many the first of each host, for all of it. Used from one thread.
class ShardWriters {
 public:
  /// Ranks up to `most` write a file each. Collective.
  ShardWriters(Communicator& communicator, int most);

  const ShardPlace& place() const { return place_; }
  /// The parts that this rank's file gets: its own, with those of the ranks that it writes for, which have none then.
  /// Collective.
  std::vector<StatePart> gather(const std::vector<StateTensor>& tensors, std::vector<StatePart> own) const;

 private:
  ShardPlace place_;
  std::unique_ptr<Communicator> host_;  // the ranks of this host; null where each writes
};

}  // namespace strata
