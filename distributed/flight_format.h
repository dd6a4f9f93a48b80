// SPDX-License-Identifier: Apache-2.0
// Internal to the flight recorder: how its file lies on disk. One header, then a ring of records, in the byte order of
// the machine that wrote it.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include "distributed/rank_identity.h"

namespace strata {

/// Text is zero-terminated and cut to fit. Times are nanoseconds since 1970 (CLOCK_REALTIME).
struct FlightHeader {
  static constexpr std::array<char, 8> kMagic{'S', 'T', 'R', 'F', 'L', 'I', 'T', '\n'};
  static constexpr std::uint32_t kVersion = 1;

  std::array<char, 8> magic{};
  std::uint32_t version = 0;
  std::uint32_t capacity = 0;      // records in the ring
  std::uint32_t record_bytes = 0;  // of one
  std::int32_t rank = 0;
  std::int32_t size = 0;
  std::int32_t reserved = 0;
  RankIdentity identity;
  std::uint64_t group = 0;  // equal in the files of the ranks of one communicator, and in no other
  std::int64_t opened = 0;
  std::int64_t closed = 0;  // when the communicator was destroyed in order; 0 before
  std::int64_t failed = 0;  // when its first error occurred, written after `error`; 0 before
  std::array<char, 128> communicator{};
  std::array<char, 3760> error{};
};
static_assert(sizeof(FlightHeader) == 4096 && std::is_trivially_copyable_v<FlightHeader>);

/// `number` is 0 while the rest is being written: what a killed process has left half done does not look like a record.
struct FlightRecord {
  std::uint64_t number = 0;  // of the call's stamp, as what follows
  std::int64_t epoch = 0;
  std::int64_t step = 0;
  std::uint64_t bytes = 0;
  std::uint64_t detail = 0;
  std::uint32_t kind = 0;
  std::uint32_t reserved = 0;
  std::int64_t started = 0;
  std::int64_t ended = 0;  // 0: under way; the time when it was done; minus the time when it failed
  std::array<char, 128> name{};
};
static_assert(sizeof(FlightRecord) == 192 && std::is_trivially_copyable_v<FlightRecord>);

}  // namespace strata
