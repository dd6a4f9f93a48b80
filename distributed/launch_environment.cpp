// SPDX-License-Identifier: Apache-2.0
#include "distributed/launch_environment.h"

#include <charconv>
#include <cstdlib>
#include <string_view>

#include "core/base/error.h"

namespace strata {
namespace {

bool is_set(const char* variable) { return std::getenv(variable) != nullptr; }

int number_from(const char* variable, const char* what, int least) {
  const char* value = std::getenv(variable);
  const std::string_view text = value == nullptr ? "" : value;
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least) {
    throw ConfigError(std::string(variable) + ": expected the " + what + ", received \"" + std::string(text) + "\"");
  }
  return number;
}

int ranks_from(const char* variable) { return number_from(variable, "number of ranks", 1); }
int rank_from(const char* variable) { return number_from(variable, "number of this rank", 0); }

}  // namespace

std::optional<LaunchEnvironment> launch_environment() {
  if (is_set("OMPI_COMM_WORLD_SIZE") && is_set("OMPI_COMM_WORLD_RANK")) {
    return {{"OMPI_COMM_WORLD_SIZE", ranks_from("OMPI_COMM_WORLD_SIZE"), rank_from("OMPI_COMM_WORLD_RANK")}};
  }
  if (is_set("PMI_RANK") && is_set("PMI_SIZE")) {
    return {{"PMI_SIZE", ranks_from("PMI_SIZE"), rank_from("PMI_RANK")}};
  }
  if (is_set("SLURM_PROCID") && is_set("SLURM_STEP_NUM_TASKS")) {
    const int ranks = ranks_from("SLURM_STEP_NUM_TASKS");
    if (ranks > 1) return {{"SLURM_STEP_NUM_TASKS", ranks, rank_from("SLURM_PROCID")}};
  }
  if (is_set("PMIX_RANK")) return {{"PMIX_RANK", 0, rank_from("PMIX_RANK")}};
  return std::nullopt;
}

}  // namespace strata
