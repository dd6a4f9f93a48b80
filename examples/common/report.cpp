// SPDX-License-Identifier: Apache-2.0
// The JSON report of an example.
#include <fmt/format.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "common/example.h"

namespace strata::examples {
namespace {

/// Seconds since the kernel started this process, from /proc (10 ms resolution, rounded up).
double seconds_since_start() {
  std::ifstream file("/proc/self/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string field;
  for (int i = 3; i <= 22; ++i) fields >> field;  // field 22 is the start time in clock ticks after boot
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9 -
         std::stod(field) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

nlohmann::ordered_json history_json(const History& history) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [name, values] : history.history) json[name] = values;
  return json;
}

void write_json(const std::string& path, const nlohmann::ordered_json& json) {
  std::ofstream file(path);
  file << json.dump(2) << "\n";
  file.close();
  if (!file) throw IoError(path, "cannot write the JSON report");
}

/// What communication has cost the rank that it has cost most. Collective.
nlohmann::ordered_json communication_json(Communicator& world) {
  const CommunicationCost own = world.cost();
  std::vector<CommunicationCost> all(static_cast<std::size_t>(world.size()));
  world.allgather(&own, all.data(), sizeof(own));
  CommunicationCost most;
  for (const CommunicationCost& cost : all) {
    most.bytes_sent = std::max(most.bytes_sent, cost.bytes_sent);
    most.hidden_seconds = std::max(most.hidden_seconds, cost.hidden_seconds);
    most.exposed_seconds = std::max(most.exposed_seconds, cost.exposed_seconds);
  }
  return {{"bytes_sent", most.bytes_sent},
          {"hidden_seconds", most.hidden_seconds},
          {"exposed_seconds", most.exposed_seconds}};
}

}  // namespace

void Example::report(const Model& model, const History& history, const Logs& scores) const {
  const auto communication = communication_json(*world_);
  const std::uint64_t hash = model.weights_hash();
  std::vector<std::uint64_t> all(static_cast<std::size_t>(world_->size()));
  world_->allgather(&hash, all.data(), sizeof(hash));
  for (std::size_t r = 0; r < all.size(); ++r) {
    if (all[r] == all[0]) continue;
    throw CommError(world_->rank(), static_cast<int>(r), "weights check",
                    fmt::format("{} ended with other weights ({:016x}) than rank 0 ({:016x}).",
                                world_->describe(static_cast<int>(r)), all[r], all[0]));
  }
  if (options_.json.empty() || world_->rank() != 0) return;
  nlohmann::ordered_json json = {{"ranks", world_->size()},
                                 {"blocks", history.blocks > 0    ? history.blocks
                                            : options_.blocks > 0 ? options_.blocks
                                                                  : world_->size()},
                                 {"steps", history.steps},
                                 {"resumed_steps", history.resumed_steps},
                                 {"history", history_json(history)}};
  for (const auto& [name, value] : scores) json[name] = value;
  if (history.first_step != std::chrono::steady_clock::time_point()) {
    const auto since_first = std::chrono::steady_clock::now() - history.first_step + loading_;
    const double steady = static_cast<double>(history.timed_steps);
    const double rate = history.training_seconds > 0 ? steady / history.training_seconds : 0.0;
    json.update(
        {{"steps_per_second", rate},
         {"samples_per_second", rate * static_cast<double>(options_.batch_size)},
         {"seconds_to_first_step", seconds_since_start() - std::chrono::duration<double>(since_first).count()}});
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  json.update({{"seconds_to_join", joining_.count()},  // MPI_Init, mostly: part of the time to the first step
               {"communication", communication},
               {"provenance", nlohmann::ordered_json::parse(provenance_.to_json())},
               {"peak_rss_bytes", std::int64_t{usage.ru_maxrss} * 1024},
               {"weights_xxh64", fmt::format("{:016x}", hash)}});
  write_json(options_.json, json);
}

}  // namespace strata::examples
