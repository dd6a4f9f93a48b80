// SPDX-License-Identifier: Apache-2.0
// Paces a polling loop and ends it with a CommError when the rank waited for has ended or the deadline passes.
#pragma once

#include <string>
#include <string_view>

#include "distributed/transport.h"

namespace strata {

/// The deadlines of new communicators: STRATA_DEADLINE in seconds for all waits when it is set. Throws ConfigError on
/// other text.
Deadlines default_deadlines();

/// What a rank waits for.
struct Awaited {
  enum class What {
    own_device,
    message,  // that `peer` sends
    room,     // that `peer` takes a message
    arrival,  // that `peer` comes to the same sum
    work,     // that `peer` does its part of a sum
  };
  int peer = -1;
  What what = What::own_device;
};

/// One wait. `operation` is what the rank is doing, such as "broadcast"; the text must outlive the object.
class Patience {
 public:
  Patience(Transport& transport, Transport::Clock::duration deadline, std::string_view operation,
           const StepPosition& position)
      : transport_(transport),
        deadline_(deadline),
        operation_(operation),
        position_(position),
        since_(Transport::Clock::now()) {}

  /// Something moved: the deadline counts from now.
  void restart();
  /// Nothing moved: spins a while, then gives the core to others. Returns whether it is time to look around for other
  /// things than those waited for. Throws CommError as said above.
  bool idle(const Awaited& awaited);
  Transport::Clock::duration waited() const { return Transport::Clock::now() - since_; }

 private:
  std::string place() const;
  [[noreturn]] void fail_lost(int lost) const;
  [[noreturn]] void fail_late(const Awaited& awaited) const;

  Transport& transport_;
  Transport::Clock::duration deadline_;
  std::string_view operation_;
  StepPosition position_;
  Transport::Clock::time_point since_;
  int idle_polls_ = 0;
  bool seen_lost_ = false;
};

}  // namespace strata
