// SPDX-License-Identifier: Apache-2.0
#include "tests/support/exact_processes.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tests/support/process.h"

namespace strata::testing {
namespace {

std::string checked_output(const Outcome& outcome, const std::string& text, const TrainingCase& run,
                           const std::string& out) {
  if (!outcome.succeeded()) throw std::runtime_error(run.text() + ": " + text);
  return out;
}

}  // namespace

TrainingResult train_in_processes(const std::string& program, const TrainingCase& run, std::chrono::seconds limit) {
  const Command command{{program, run.model, run.optimizer, std::to_string(run.batch), std::to_string(run.batches),
                         std::to_string(run.epochs), fmt::format("{}", run.bucket_mb), run.sharded ? "1" : "0"},
                        // There are more threads than cores: those that wait are not to keep others from working.
                        {{"OMP_NUM_THREADS", std::to_string(run.threads)},
                         {"OMP_WAIT_POLICY", "passive"},
                         {"STRATA_SHARED_MEMORY", run.shared_memory ? "1" : "0"}},
                        limit};
  std::string out;
  if (run.ranks == 1) {
    const Outcome outcome = run_process(command);
    out = checked_output(outcome, outcome.text(), run, outcome.out);
  } else {
    const MpiOutcome outcome = run_mpi(run.ranks, command);
    out = checked_output(outcome, outcome.text(), run, outcome.ranks.empty() ? "" : outcome.ranks[0].out);
  }
  return nlohmann::json::parse(out).get<TrainingResult>();
}

}  // namespace strata::testing
