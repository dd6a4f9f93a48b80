// SPDX-License-Identifier: Apache-2.0
// One sum over blocks under way on one rank, as its communicator drives it.
#pragma once

#include "core/program/rounding_errors.h"
#include "distributed/call_stamp.h"
#include "distributed/patience.h"
#include "distributed/transport.h"

namespace strata {

/// A state machine that never blocks and allocates nothing after construction.
class SumRun {
 public:
  /// Each uses so many tags of its own, and has at most so many messages under way.
  static constexpr int kTags = 8;

  SumRun() = default;
  virtual ~SumRun() = default;
  SumRun(const SumRun&) = delete;
  SumRun& operator=(const SumRun&) = delete;

  /// `stamp` tells this time from others, on all ranks alike.
  virtual void start(const CallStamp& stamp) = 0;
  /// Goes on without waiting. Returns whether anything moved. Throws Diverged when another rank has come to something
  /// else.
  virtual bool advance() = 0;
  virtual bool done() const = 0;
  /// What it waits for.
  virtual Awaited awaited() const = 0;
  /// Whether it is nothing but this rank's work on memory of its host: then nothing is gained by doing it early.
  virtual bool is_local() const = 0;
  /// Gives up the messages under way.
  virtual void cancel() noexcept = 0;
  /// By this rank, in messages or through shared memory, all times together.
  virtual std::int64_t bytes_sent() const = 0;
  virtual RoundingErrors rounding_errors() const { return {}; }
};

}  // namespace strata
