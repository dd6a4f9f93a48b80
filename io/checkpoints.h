// SPDX-License-Identifier: Apache-2.0
// The files of checkpoints, as io/checkpoint.md describes them.
#pragma once

#include "core/training/checkpoint_store.h"

namespace strata {

/// On the machine's own disks.
const CheckpointStore& checkpoint_files();

namespace detail {

inline const bool checkpoint_files_are_known = (set_checkpoint_store(&checkpoint_files()), true);

}  // namespace detail
}  // namespace strata
