// SPDX-License-Identifier: Apache-2.0
// The runs of tests/support/exact_training.h as real processes.
#pragma once

#include <chrono>
#include <string>

#include "tests/support/exact_training.h"

namespace strata::testing {

/// Starts `program` (tests/programs_src/bits_run.cpp) on the case's ranks, under mpirun unless it is one. Throws
/// std::runtime_error with all that was printed when it fails or takes longer than `limit`.
TrainingResult train_in_processes(const std::string& program, const TrainingCase& run, std::chrono::seconds limit);

}  // namespace strata::testing
