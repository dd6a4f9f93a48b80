// SPDX-License-Identifier: Apache-2.0
// How the clocks of ranks differ.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/program/communicator.h"

namespace strata {

/// Nanoseconds.
struct ClockOffset {
  std::int64_t offset = 0;      // the rank's clock minus rank 0's, wrong by at most half the round trip
  std::int64_t round_trip = 0;  // of the messages that it was measured with
  std::int64_t at = 0;          // when, by the rank's clock
};

/// Sends `rounds` messages from rank 0 to each other rank and back; of them counts the one that was back soonest.
/// `clock` is this rank's, in nanoseconds. Returns the offsets of all ranks on rank 0, nothing on others. Collective.
std::vector<ClockOffset> measure_clock_offsets(Communicator& communicator, const std::function<std::int64_t()>& clock,
                                               int rounds = 10);

/// Two measurements of one rank's clock, from which its times become those of rank 0: on the line between them, as
/// clocks drift; or, where they differ by less than they may be wrong, by the better of the two.
class ClockCorrection {
 public:
  ClockCorrection(const ClockOffset& begin, const ClockOffset& end);
  std::int64_t operator()(std::int64_t time) const;

 private:
  ClockOffset from_;
  double drift_ = 0.0;  // ns a ns
};

}  // namespace strata
