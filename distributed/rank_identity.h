// SPDX-License-Identifier: Apache-2.0
// Who a rank's process is: for messages, and to notice its end from another process of the same machine.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <type_traits>

namespace strata {

/// Plain bytes, so that ranks can send it.
struct RankIdentity {
  std::array<char, 64> host{};      // zero-terminated, cut to fit
  std::array<char, 64> machine{};   // one start of one kernel; "" when not known
  std::uint64_t pid_namespace = 0;  // 0 when not known
  std::int64_t pid = 0;
};
static_assert(std::is_trivially_copyable_v<RankIdentity>);

/// This process.
RankIdentity own_identity();

/// "rank 1 (host node2, pid 4711)".
std::string describe_rank(int rank, const RankIdentity& identity);

/// Whether the process is known to have ended. False when it cannot be seen from here: another machine or container.
bool has_ended(const RankIdentity& identity, const RankIdentity& own);

}  // namespace strata
