// SPDX-License-Identifier: Apache-2.0
#include "core/training/same_instructions.h"

#include <algorithm>
#include <array>
#include <vector>

#include "core/base/error.h"

namespace strata {
namespace {

using Text = std::array<char, 256>;  // with a zero at its end

Text text_of(const std::string& value) {
  Text text{};
  std::copy_n(value.begin(), std::min(value.size(), text.size() - 1), text.begin());
  return text;
}

/// "x86-64-v4, ... on rank 1 (host a, pid 7)", with "and 2 more" for further ranks that have the same as rank `first`.
std::string describe(const Communicator& communicator, const std::vector<Text>& all, std::size_t first) {
  const auto ranks = std::count(all.begin(), all.end(), all[first]);
  std::string text = std::string(all[first].data()) + " on " + communicator.describe(static_cast<int>(first));
  if (ranks > 1) text += " and " + std::to_string(ranks - 1) + " more";
  return text;
}

}  // namespace

void require_same_instructions(Communicator& communicator, const std::string& own) {
  if (communicator.size() == 1) return;
  const Text mine = text_of(own);
  std::vector<Text> all(static_cast<std::size_t>(communicator.size()));
  communicator.allgather(&mine, all.data(), sizeof(Text));
  if (std::all_of(all.begin(), all.end(), [&](const Text& text) { return text == all[0]; })) return;
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
