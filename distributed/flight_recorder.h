// SPDX-License-Identifier: Apache-2.0
// The flight recorder: the last collective calls of a rank, in a mapped file that outlives the process however it ends.
// STRATA_FLIGHT_RECORDER=DIRECTORY turns it on; the program strata_flight reads the files of all ranks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "distributed/call_stamp.h"
#include "distributed/transport.h"

namespace strata {

/// What tells one communicator from others: the same on all of its ranks.
struct FlightGroup {
  std::uint64_t key = 0;
  std::string name = {};  // "0", "0, split 2 of color 1"
};

/// One rank's file of one communicator: DIRECTORY/rank-R.N.flight, where R is the rank in the whole job and N counts
/// the communicators that it has opened. A file of that name from an earlier run is replaced. Takes no system call and
/// no memory per record. Used by one thread at a time.
class FlightRecorder {
 public:
  static constexpr std::uint32_t kRecords = 2000;

  /// Null unless STRATA_FLIGHT_RECORDER names a directory, which is made if need be. `group` is that of a part of
  /// another communicator, null otherwise. Throws IoError when the file cannot be made.
  static std::unique_ptr<FlightRecorder> from_environment(const Transport& transport, const FlightGroup* group);

  /// Throws IoError when the file cannot be made.
  FlightRecorder(const std::string& directory, const Transport& transport, FlightGroup group);
  ~FlightRecorder();
  FlightRecorder(const FlightRecorder&) = delete;
  FlightRecorder& operator=(const FlightRecorder&) = delete;

  /// Notes that a call begins. Numbers come one after the other, from 1. `name`: what it is about, for people.
  void start(const CallStamp& stamp, std::string_view name);
  void done(std::uint64_t number);
  /// The communicator has failed, and with it all calls under way.
  void fail(std::string_view error);
  /// The communicator ends in order, as it does when this is destroyed.
  void finish();
  /// The group of this rank's part after the next split.
  FlightGroup next_part(int color);
  const std::string& path() const { return path_; }

 private:
  struct Map;
  std::string path_;
  FlightGroup group_;
  std::unique_ptr<Map> map_;
  std::uint64_t last_ = 0;  // number
  int parts_ = 0;
};

}  // namespace strata
