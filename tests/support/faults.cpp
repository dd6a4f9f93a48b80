// SPDX-License-Identifier: Apache-2.0
#include "tests/support/faults.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace strata::testing {
namespace {

const char* name_of(Fault::Kind kind) { return kind == Fault::pause ? "pause" : kind == Fault::stop ? "stop" : "kill"; }

/// Errors of one kind, whichever ranks and times they name.
std::string kind_of(const RankEnd& end) {
  if (end.kind == RankEnd::success) return "success";
  if (end.kind == RankEnd::other_error) return "planted exception";
  for (const char* kind : {"has ended", "waited", "earlier error"}) {
    if (end.text.find(kind) != std::string::npos) return fmt::format("CommError \"... {} ...\"", kind);
  }
  return "CommError: " + end.text;
}

/// When a rank has to be back at the latest, were there no deadline.
double over_at(const Fault& fault) { return fault.at + (fault.final() ? 0.0 : fault.seconds); }

}  // namespace

std::string Fault::text() const {
  const std::string what = fmt::format("{} of rank {} at {:.3f} s", name_of(kind), rank, at);
  return kind == pause ? what + fmt::format(" for {:.3f} s", seconds) : what;
}

std::vector<Fault> random_faults(Random& random, int ranks, double run_seconds, double deadline) {
  const auto uniform = [&](double limit) { return std::uniform_real_distribution<double>(0.0, limit)(random); };
  const auto below = [&](int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random); };
  std::vector<Fault> faults;
  for (int count = 1 + below(3); count > 0; --count) {
    // Most pauses are short; one of three comes near the deadline or passes it.
    const double longest = below(3) == 0 ? 2.0 * deadline : 0.2 * deadline;
    faults.push_back({Fault::pause, below(ranks), uniform(run_seconds), uniform(longest)});
  }
  std::sort(faults.begin(), faults.end(), [](const Fault& a, const Fault& b) { return a.at < b.at; });
  const int last = below(3);
  if (last > 0) faults.back().kind = last == 1 ? Fault::stop : Fault::kill;
  return faults;
}

std::string text_of(const std::vector<Fault>& faults) {
  std::string text;
  for (const Fault& fault : faults) text += (text.empty() ? "" : ", ") + fault.text();
  return text;
}

void FaultTally::add(const std::vector<Fault>& faults, const std::vector<RankEnd>& ends,
                     const std::string& expected_hash, double limit) {
  double last = 0.0;
  for (const Fault& fault : faults) {
    if (!fault.happened) continue;
    ++faults_[name_of(fault.kind)];
    last = std::max(last, over_at(fault));
  }
  const auto successes =
      std::count_if(ends.begin(), ends.end(), [](const RankEnd& end) { return end.kind == RankEnd::success; });
  for (const RankEnd& end : ends) {
    ++errors_[kind_of(end)];
    if (end.kind == RankEnd::success) {
      if (end.text != expected_hash) throw std::runtime_error("a run ended with weights " + end.text);
      continue;
    }
    slowest_ = std::max(slowest_, end.at - last);
    if (end.at > last + limit) {
      throw std::runtime_error(fmt::format("a rank ended {:.2f} s after the last fault, expected {:.2f}: {}",
                                           end.at - last, limit, end.text));
    }
  }
  ++runs_;
  const bool all = successes == static_cast<std::ptrdiff_t>(ends.size());
  ++outcomes_[all ? "all ranks succeeded" : successes == 0 ? "all ranks left had an error" : "some succeeded before"];
}

std::string FaultTally::text() const {
  const auto list = [](const std::map<std::string, int>& counts) {
    std::string text;
    for (const auto& [name, count] : counts) text += fmt::format("  {:6} {}\n", count, name);
    return text;
  };
  return fmt::format(
      "{} runs with these faults:\n{}how the runs ended:\n{}how the ranks ended:\n{}"
      "the slowest error came {:.2f} s after the last fault\n",
      runs_, list(faults_), list(outcomes_), list(errors_), slowest_);
}

}  // namespace strata::testing
