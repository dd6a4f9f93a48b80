// SPDX-License-Identifier: Apache-2.0
// Reads the files of the flight recorder, also while a run still writes them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "distributed/flight_recorder.h"
#include "distributed/rank_identity.h"

namespace strata {

/// One call of one rank. Times are nanoseconds since 1970.
struct FlightEntry {
  enum class State { started, done, failed };

  CallStamp stamp;
  std::string name;  // what it is about
  std::int64_t started = 0;
  std::int64_t ended = 0;  // 0 while it is under way
  State state = State::started;
};

/// One rank's file of one communicator.
struct FlightFile {
  std::string path;
  int rank = 0;
  int size = 0;
  RankIdentity identity;
  std::uint64_t group = 0;   // equal in all files of the communicator
  std::string communicator;  // its name
  std::int64_t opened = 0;
  std::int64_t closed = 0;  // when it was destroyed in order; 0: it was not
  std::int64_t failed = 0;  // 0: no error
  std::string error;
  std::vector<FlightEntry> entries;  // in order of numbers

  /// The call of that number, or null.
  const FlightEntry* find(std::uint64_t number) const;
};

/// Throws IoError for what cannot be read, and for a file that is damaged, cut or not a flight recorder's.
FlightFile read_flight_file(const std::string& path);

/// What a directory holds.
struct FlightDirectory {
  std::vector<FlightFile> files;   // by name
  std::vector<std::string> wrong;  // why others could not be read
};

/// Reads all *.flight files. Throws IoError when there is none.
FlightDirectory read_flight_directory(const std::string& directory);

}  // namespace strata
