// SPDX-License-Identifier: Apache-2.0
// Who a rank's process is: for messages, and to notice its end from another process of the same machine.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

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

/// Whether both can map each other's memory: processes of one host, or one process.
bool share_a_host(const RankIdentity& a, const RankIdentity& b);

/// The ranks where runs of side-by-side ranks begin, then the number of ranks. `joined(r)`: rank r belongs to the run
/// of rank r - 1.
template <class F>
std::vector<int> runs_of_ranks(int ranks, const F& joined) {
  std::vector<int> bounds{0};
  for (int rank = 1; rank < ranks; ++rank) {
    if (!joined(rank)) bounds.push_back(rank);
  }
  bounds.push_back(ranks);
  return bounds;
}

/// Whether the process is known to have ended. False when it cannot be seen from here: another machine or container.
bool has_ended(const RankIdentity& identity, const RankIdentity& own);

}  // namespace strata
