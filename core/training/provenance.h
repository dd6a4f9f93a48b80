// SPDX-License-Identifier: Apache-2.0
// Where and with what a run was computed: into checkpoints and reports.
#pragma once

#include <string>
#include <vector>

#include "core/base/config.h"
#include "core/program/communicator.h"

namespace strata {

/// {"strata", "compiler", "instruction_set", "libraries", "command_line", "started",
/// "ranks": [{"host", "pid", "threads", "processors", "processor_count"}, ...]}, "instruction_set" with the versions of
/// the libraries that compute, "libraries" being the others by name (library_versions()), "processors" those that the
/// rank's threads may run on, as in "0-3,8". Equal on all ranks: what they share is that of rank 0. Collective.
Config run_provenance(Communicator& communicator);

/// What in it makes a run slower than it need be, each a line: threads of a rank that share one core.
std::vector<std::string> provenance_warnings(const Config& provenance);

/// Of this process.
std::string host_name();

}  // namespace strata
