// SPDX-License-Identifier: Apache-2.0
// Paces a polling loop and ends it with a CommError when the rank waited for has ended or the deadline passes.
#pragma once

#include <string_view>

#include "distributed/transport.h"

namespace strata {

/// The deadlines of new communicators: STRATA_DEADLINE in seconds for all waits when it is set. Throws ConfigError on
/// other text.
Deadlines default_deadlines();

/// A message that a rank waits for.
struct Awaited {
  int peer = -1;         // -1: no message, this rank's own device
  bool sending = false;  // whether the peer is to take a message, rather than to send one
};

/// One wait. `operation` is what the rank is doing, such as "broadcast"; the text must outlive the object.
class Patience {
 public:
  Patience(Transport& transport, Transport::Clock::duration deadline, std::string_view operation)
      : transport_(transport), deadline_(deadline), operation_(operation), since_(Transport::Clock::now()) {}

  /// Something moved: the deadline counts from now.
  void restart();
  /// Nothing moved: spins a while, then gives the core to others. Throws CommError as said above.
  void idle(const Awaited& awaited);

 private:
  [[noreturn]] void fail_lost(int lost) const;
  [[noreturn]] void fail_late(const Awaited& awaited) const;

  Transport& transport_;
  Transport::Clock::duration deadline_;
  std::string_view operation_;
  Transport::Clock::time_point since_;
  int idle_polls_ = 0;
  bool seen_lost_ = false;
};

}  // namespace strata
