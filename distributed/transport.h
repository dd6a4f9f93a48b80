// SPDX-License-Identifier: Apache-2.0
// What a wire must do: carry messages of host bytes between the ranks of a group. Everything else is built on it once,
// in PointToPointCommunicator.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "core/program/communicator.h"

namespace strata {

/// One rank's end of the wires of a group. Used by one thread at a time.
class Transport {
 public:
  using Clock = Communicator::Clock;
  /// Names a message under way: from isend or irecv until test() returned true or cancel() was called.
  using Request = int;

  /// The most bytes that one message carries.
  static constexpr std::size_t kMaxMessageBytes = std::size_t{1} << 30;
  /// Tags are 0 to kTags - 1.
  static constexpr int kTags = 32767;

  virtual ~Transport() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// "rank 1 (host node2, pid 4711)".
  virtual std::string describe(int rank) const = 0;
  /// The ranks whose processes run on one host, side by side in rank order: the first rank of each such run, then the
  /// number of ranks. Equal on all ranks.
  virtual const std::vector<int>& hosts() const = 0;

  /// From now on up to `requests` messages are under way without an allocation.
  virtual void reserve(int requests) = 0;

  // Begin a message; the memory must stay valid and, for isend, unchanged until it is over. Messages of one tag from
  // one rank to another arrive in the order they were begun, and the receiver knows their size. `peer` is another rank.
  virtual Request isend(const void* data, std::size_t bytes, int peer, int tag) = 0;
  virtual Request irecv(void* data, std::size_t bytes, int peer, int tag) = 0;
  /// Whether the message is over; if so the request is no more. Throws CommError when it failed; then the request
  /// remains, for cancel().
  virtual bool test(Request request) = 0;
  /// A rank from which a message of this tag has come that no irecv waits for, or -1.
  virtual int probe(int tag) = 0;
  /// Gives a message up, after an error.
  virtual void cancel(Request request) noexcept = 0;

  /// A rank that is known to have ended and that a wait for `peer` (-1: nobody in particular) needs, or -1. Called
  /// often.
  virtual int lost_rank(int peer) = 0;

  /// What threads hold that take turns in using it; null when only the thread that made it may.
  virtual std::mutex* mutex() = 0;

  /// Collective, and called when every rank is known to be here. `ranks` are those of this rank's color (at least 0),
  /// in the order of their new numbers.
  virtual std::unique_ptr<Transport> split(int color, std::span<const int> ranks) = 0;
};

}  // namespace strata
