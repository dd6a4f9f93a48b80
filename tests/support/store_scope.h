// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/checkpoint/checkpoint_directory.h"
#include "io/checkpoints.h"

namespace strata::testing {

/// Checkpoints of this process go elsewhere until the end of the scope.
class StoreScope {
 public:
  explicit StoreScope(FileSystem& files) : store_(files) { set_checkpoint_store(&store_); }
  ~StoreScope() { set_checkpoint_store(&checkpoint_files()); }
  StoreScope(const StoreScope&) = delete;
  StoreScope& operator=(const StoreScope&) = delete;

 private:
  CheckpointDirectory store_;
};

}  // namespace strata::testing
