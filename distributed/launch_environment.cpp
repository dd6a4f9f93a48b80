// SPDX-License-Identifier: Apache-2.0
#include "distributed/launch_environment.h"

#include <charconv>
#include <cstdlib>
#include <string_view>

#include "core/base/error.h"

namespace strata {
namespace {

bool is_set(const char* variable) { return std::getenv(variable) != nullptr; }

int ranks_from(const char* variable) {
  const std::string_view text = std::getenv(variable);
  int ranks = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ranks);
  if (error != std::errc() || end != text.data() + text.size() || ranks < 1) {
    throw ConfigError(std::string(variable) + ": expected the number of ranks, received \"" + std::string(text) + "\"");
  }
  return ranks;
}

}  // namespace

std::optional<LaunchEnvironment> launch_environment() {
  if (is_set("OMPI_COMM_WORLD_SIZE")) return {{"OMPI_COMM_WORLD_SIZE", ranks_from("OMPI_COMM_WORLD_SIZE")}};
  if (is_set("PMI_RANK") && is_set("PMI_SIZE")) return {{"PMI_SIZE", ranks_from("PMI_SIZE")}};
  if (is_set("SLURM_PROCID") && is_set("SLURM_STEP_NUM_TASKS")) {
    const int ranks = ranks_from("SLURM_STEP_NUM_TASKS");
    if (ranks > 1) return {{"SLURM_STEP_NUM_TASKS", ranks}};
  }
  if (is_set("PMIX_RANK")) return {{"PMIX_RANK", 0}};
  return std::nullopt;
}

}  // namespace strata
