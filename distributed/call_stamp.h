// SPDX-License-Identifier: Apache-2.0
// What tells a collective call from others: ranks compare it, so that those which have gone different ways notice.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "core/program/communicator.h"

namespace strata {

enum class CallKind : std::uint32_t {
  none,
  broadcast,
  allgather,
  gather,
  barrier,
  split,
  prepare,
  block_sum,
  row_sum,
  reduce_scatter,  // a block sum with shares
  last = reduce_scatter
};

std::string_view to_string(CallKind kind);

/// Plain bytes, so that ranks can send it.
struct CallStamp {
  std::uint64_t number = 0;  // calls of this communicator, from 1
  std::int64_t epoch = -1;
  std::int64_t step = -1;
  std::uint64_t bytes = 0;
  std::uint64_t detail = 0;  // a hash of what else must be equal: root, shape, which sum
  CallKind kind = CallKind::none;
  std::uint32_t unused = 0;

  friend bool operator==(const CallStamp&, const CallStamp&) = default;
};
static_assert(std::is_trivially_copyable_v<CallStamp> && sizeof(CallStamp) == 48);

/// "its call 17, allgather of 8 bytes in epoch 0, step 5".
std::string describe(const CallStamp& stamp);

/// The last calls of a communicator. A new one takes no memory.
class CallLog {
 public:
  const CallStamp& begin(CallKind kind, std::uint64_t bytes, std::uint64_t detail, const StepPosition& position);
  /// The number of the last call.
  std::uint64_t last() const { return last_; }
  /// Null when there was none of that number, or too long ago.
  const CallStamp* find(std::uint64_t number) const;

 private:
  static constexpr std::size_t kKept = 512;
  std::array<CallStamp, kKept> calls_{};
  std::uint64_t last_ = 0;
};

}  // namespace strata
