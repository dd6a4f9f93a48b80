// SPDX-License-Identifier: Apache-2.0
// Internal: from which checkpoint a run goes on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/training/run_snapshot.h"

namespace strata {

/// Which checkpoint of a directory a run begins at.
struct ResumePoint {
  enum class Kind { newest, none, step };
  Kind kind = Kind::newest;
  std::int64_t step = 0;
};

/// "auto", "never", or the number of a step. Throws ConfigError for other text.
ResumePoint resume_point(const std::string& text);

/// The ranks that do not see the directory as rank 0 does, which makes it where it is missing. Collective. Throws
/// IoError on all ranks when it cannot be written to.
std::vector<int> ranks_without(const std::string& directory, Communicator& communicator);

/// Puts the run in place that the checkpoint has, and returns where it stood; empty when there is nothing to continue.
/// Damaged ones are passed over, which rank 0 prints. Those that are newer get another name. Collective. Throws
/// ConfigError when this is another model or plan or there is no such step, IoError when all that there are are
/// damaged, or the directory is not one that all ranks see.
std::optional<RunProgress> continue_run(const std::string& directory, const ResumePoint& point, const Functional& model,
                                        Trainer& trainer, const Config& plan, const ModelDescription& described);

}  // namespace strata
