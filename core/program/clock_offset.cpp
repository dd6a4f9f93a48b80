// SPDX-License-Identifier: Apache-2.0
#include "core/program/clock_offset.h"

#include <array>
#include <cmath>
#include <cstdlib>

namespace strata {
namespace {

/// A gather of which one rank alone has bytes is a message from it to the root.
class Messages {
 public:
  explicit Messages(Communicator& communicator)
      : communicator_(communicator),
        places_(static_cast<std::size_t>(communicator.size())),
        bytes_(static_cast<std::size_t>(communicator.size())) {}

  void send(void* data, std::size_t bytes, int from, int to) {
    const bool sends = communicator_.rank() == from;
    if (communicator_.rank() != to) {
      communicator_.gather(data, sends ? bytes : 0, {}, {}, to);
      return;
    }
    const auto sender = static_cast<std::size_t>(from);
    places_[sender] = data;
    bytes_[sender] = bytes;
    communicator_.gather(nullptr, 0, places_, bytes_, to);
    bytes_[sender] = 0;
  }

 private:
  Communicator& communicator_;
  std::vector<void*> places_;
  std::vector<std::size_t> bytes_;
};

/// D. L. Mills, "Internet time synchronization: the Network Time Protocol", IEEE Transactions on Communications 39
/// (1991), and RFC 5905, section 8: rank 0 sends at t1, the rank receives at t2 and answers at t3, rank 0 has it at t4.
ClockOffset offset_of(std::int64_t t1, std::int64_t t2, std::int64_t t3, std::int64_t t4) {
  return {((t2 - t1) + (t3 - t4)) / 2, (t4 - t1) - (t3 - t2), t2};
}

ClockOffset ping(Messages& messages, Communicator& communicator, const std::function<std::int64_t()>& clock, int rank) {
  std::array<std::int64_t, 2> answer{};  // t2, t3
  char request = 0;
  const std::int64_t t1 = clock();
  messages.send(&request, 1, 0, rank);
  if (communicator.rank() == rank) answer = {clock(), clock()};
  messages.send(answer.data(), sizeof answer, rank, 0);
  return offset_of(t1, answer[0], answer[1], clock());
}

}  // namespace

std::vector<ClockOffset> measure_clock_offsets(Communicator& communicator, const std::function<std::int64_t()>& clock,
                                               int rounds) {
  Messages messages(communicator);
  std::vector<ClockOffset> offsets{{0, 0, clock()}};
  for (int rank = 1; rank < communicator.size(); ++rank) {
    ClockOffset best = ping(messages, communicator, clock, rank);
    for (int round = 1; round < rounds; ++round) {
      const ClockOffset next = ping(messages, communicator, clock, rank);
      // Least delay, least doubt: the clock filter of RFC 5905, section 10.
      if (next.round_trip < best.round_trip) best = next;
    }
    offsets.push_back(best);
  }
  if (communicator.rank() != 0) offsets.clear();
  return offsets;
}

ClockCorrection::ClockCorrection(const ClockOffset& begin, const ClockOffset& end)
    : from_(begin.round_trip <= end.round_trip ? begin : end) {
  const std::int64_t change = end.offset - begin.offset;
  if (end.at <= begin.at || std::abs(change) <= (begin.round_trip + end.round_trip) / 2) return;
  from_ = begin;
  drift_ = static_cast<double>(change) / static_cast<double>(end.at - begin.at);
}

std::int64_t ClockCorrection::operator()(std::int64_t time) const {
  return time - from_.offset - std::llround(drift_ * static_cast<double>(time - from_.at));
}

}  // namespace strata
