// SPDX-License-Identifier: Apache-2.0
#include "core/training/same_instructions.h"

#include <algorithm>
#include <vector>

#include "core/base/error.h"
#include "core/training/rank_texts.h"

namespace strata {
namespace {

/// "x86-64-v4, ... on rank 1 (host a, pid 7)", with "and 2 more" for further ranks that have the same as rank `first`.
std::string describe(const Communicator& communicator, const std::vector<std::string>& all, std::size_t first) {
  const auto ranks = std::count(all.begin(), all.end(), all[first]);
  std::string text = all[first] + " on " + communicator.describe(static_cast<int>(first));
  if (ranks > 1) text += " and " + std::to_string(ranks - 1) + " more";
  return text;
}

}  // namespace

void require_same_instructions(Communicator& communicator, const std::string& own) {
  if (communicator.size() == 1) return;
  const std::vector<std::string> all = allgather_texts(communicator, own);
  if (std::all_of(all.begin(), all.end(), [&](const std::string& text) { return text == all[0]; })) return;
  std::string kinds;
  for (auto text = all.begin(); text != all.end(); ++text) {
    if (std::find(all.begin(), text, *text) != text) continue;
    kinds += (kinds.empty() ? "" : "; ") + describe(communicator, all, static_cast<std::size_t>(text - all.begin()));
  }
  throw ConfigError(
      "The ranks have other instruction sets, and so round differently: expected one kind of processor, "
      "libraries of one version, and ONEDNN_MAX_CPU_ISA and LIBXSMM_TARGET equal on all ranks; received " +
      kinds + ".");
}

}  // namespace strata
