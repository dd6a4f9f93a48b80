// SPDX-License-Identifier: Apache-2.0
// Word between ranks beside the collectives, for when those do not go on: that a rank waits, that a rank has failed.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>

#include "distributed/call_stamp.h"
#include "distributed/transport.h"

namespace strata {

/// Plain bytes, so that ranks can send it.
struct RankNote {
  enum class Kind : std::uint64_t {
    waiting,  // the sender waits for the receiver in the call of `stamp`
    failed,   // the sender has failed: `text`
  };
  Kind kind = Kind::waiting;
  std::int64_t about = -1;  // the rank that a failure is about, -1: the sender
  CallStamp stamp;
  std::array<char, 448> text{};  // zero-terminated, cut to fit
};
static_assert(std::is_trivially_copyable_v<RankNote>);

/// Costs nothing where nobody waits for long. Notes may get lost when their sender ends.
class RankNotes {
 public:
  static constexpr int kTag = Transport::kTags - 1;

  explicit RankNotes(Transport& transport) : transport_(transport) {}
  ~RankNotes() { cancel(); }
  RankNotes(const RankNotes&) = delete;
  RankNotes& operator=(const RankNotes&) = delete;

  void tell_waiting(int peer, const CallStamp& stamp);
  /// To every other rank. `about`: the rank that is to blame, or -1. Gives up quietly where it cannot be sent.
  void tell_failed(const CallStamp& stamp, int about, std::string_view text) noexcept;
  /// One that has come.
  struct Received {
    int from;
    RankNote note;
  };
  std::optional<Received> receive();
  /// Gives up what is under way.
  void cancel() noexcept;

 private:
  struct Sent {
    std::shared_ptr<const RankNote> note;
    Transport::Request request;
  };
  void send(int peer, const std::shared_ptr<const RankNote>& note);

  Transport& transport_;
  std::deque<Sent> sent_;
  std::optional<Transport::Request> receiving_;
  Received incoming_{};
};

}  // namespace strata
