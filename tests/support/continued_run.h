// SPDX-License-Identifier: Apache-2.0
// Programs that train with checkpoints, are killed, and go on: what they printed, and what is on the disk.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>

namespace strata::testing {

/// The step of the newest complete checkpoint of a directory; 0 when there is none.
inline long newest_checkpoint(const std::string& directory) {
  long step = 0;
  if (!std::filesystem::exists(directory)) return step;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (!std::filesystem::exists(entry.path() / "manifest.json")) continue;
    step = std::max(step, std::stol(entry.path().filename().string().substr(std::string("step-").size())));
  }
  return step;
}

/// Whether fit went so far as to say what it trains on.
inline bool has_begun(const std::string& out) { return out.find("Train on ") != std::string::npos; }

/// After which step of another run fit said that it goes on; 0 for a new run. Training anew ends in equal bits, so that
/// these do not tell.
inline long continued_after(const std::string& out) {
  for (const std::string before : {"Continue after ", "Nothing is left to do after "}) {
    const std::size_t at = out.find(before);
    if (at != std::string::npos) return std::stol(out.substr(at + before.size()));
  }
  return 0;
}

inline std::string last_line(const std::string& out) {
  if (out.empty()) return {};
  const std::size_t end = out.rfind('\n', out.size() - 2);
  return out.substr(end == std::string::npos ? 0 : end + 1);
}

}  // namespace strata::testing
