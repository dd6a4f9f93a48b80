// SPDX-License-Identifier: Apache-2.0
#include "core/training/provenance.h"

#include <fmt/chrono.h>
#include <omp.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/base/library_versions.h"
#include "core/ops/instruction_sets.h"
#include "core/training/rank_texts.h"

namespace strata {
namespace {

/// As taskset(1) writes them.
struct Processors {
  std::string text;
  int count = 0;
};

/// Those that any of this rank's threads may run on. With OMP_PROC_BIND each has its own.
cpu_set_t processors_of_threads() {
  cpu_set_t all;
  CPU_ZERO(&all);
#pragma omp parallel
  {
    cpu_set_t own;
    CPU_ZERO(&own);
    if (sched_getaffinity(0, sizeof(own), &own) != 0) CPU_ZERO(&own);
#pragma omp critical(strata_processors_of_threads)
    CPU_OR(&all, &all, &own);
  }
  return all;
}

Processors own_processors() {
  const cpu_set_t set = processors_of_threads();
  Processors all;
  all.count = CPU_COUNT(&set);
  for (int first = 0; first < CPU_SETSIZE; ++first) {
    if (!CPU_ISSET(first, &set)) continue;
    int last = first;
    while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, &set)) ++last;
    all.text += (all.text.empty() ? "" : ",") + std::to_string(first);
    if (last > first) all.text += "-" + std::to_string(last);
    first = last;
  }
  return all;
}

/// With U+FFFD for bytes that are not of UTF-8, which file names may have.
std::string as_utf8(const std::string& text) {
  const auto replace = nlohmann::json::error_handler_t::replace;
  return nlohmann::json::parse(nlohmann::json(text).dump(-1, ' ', false, replace)).get<std::string>();
}

/// The words that started the process.
Config::List command_line() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string all((std::istreambuf_iterator<char>(file)), {});
  Config::List words;
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t end = std::min(all.find('\0', at), all.size());
    words.emplace_back(as_utf8(all.substr(at, end - at)));
    at = end + 1;
  }
  return words;
}

Config libraries() {
  Config all = Config::object();
  for (const auto& [name, version] : library_versions()) all.set(name, version);
  return all;
}

Config own_rank() {
  const Processors processors = own_processors();
  return Config::object({{"host", host_name()},
                         {"pid", getpid()},
                         {"threads", omp_get_max_threads()},
                         {"processors", processors.text},
                         {"processor_count", processors.count}});
}

}  // namespace

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

Config run_provenance(Communicator& communicator) {
  Config::List ranks;
  for (const std::string& text : allgather_texts(communicator, own_rank().to_json()))
    ranks.push_back(Config::from_json(text));
  const auto now = std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
  const Config own = Config::object({{"strata", STRATA_VERSION},
                                     {"compiler", __VERSION__},
                                     {"instruction_set", instruction_sets()},
                                     {"libraries", libraries()},
                                     {"command_line", command_line()},
                                     {"started", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now))},
                                     {"ranks", ranks}});
  return Config::from_json(broadcast_text(communicator, own.to_json()));
}

std::vector<std::string> provenance_warnings(const Config& provenance) {
  std::vector<std::string> warnings;
  const Config::List& ranks = provenance.at("ranks").as_list();
  for (std::size_t r = 0; r < ranks.size(); ++r) {
    const std::int64_t threads = ranks[r].at("threads").as_int(), places = ranks[r].at("processor_count").as_int();
    if (places == 0 || threads <= places) continue;
    warnings.push_back(fmt::format(
        "rank {} (host {}) has {} threads for {} processor{} ({}): bind it to as many as it has threads, or set "
        "OMP_NUM_THREADS={}",
        r, ranks[r].at("host").as_string(), threads, places, places == 1 ? "" : "s",
        ranks[r].at("processors").as_string(), places));
  }
  return warnings;
}

}  // namespace strata
