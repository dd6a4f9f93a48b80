// SPDX-License-Identifier: Apache-2.0
// Internal: from which checkpoint a run goes on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/training/resume_point.h"
#include "core/training/run_snapshot.h"

namespace strata {

/// The ranks that do not see the directory as rank 0 does, which makes it where it is missing. Collective. Throws
/// IoError on all ranks when it cannot be written to.
std::vector<int> ranks_without(const std::string& directory, Communicator& communicator);

/// Puts the run in place that the checkpoint has, but for what its transfers owe, and returns it; empty when there is
/// nothing to continue. What there is rank 0 says. Damaged checkpoints, which are those that rank 0 cannot read whole,
/// are passed over, which it prints. Those that are newer get another name. Collective. Throws ConfigError when this is
/// another model or plan or there is no such step, IoError when all that there are are damaged, or naming a rank that
/// does not see what rank 0 sees; `unseen_by` are those of which that is known.
std::optional<LoadedRun> continue_run(const std::string& directory, const ResumePoint& point, const RunParts& parts,
                                      const Config& plan, const ModelDescription& described,
                                      const std::vector<int>& unseen_by = {});

}  // namespace strata
