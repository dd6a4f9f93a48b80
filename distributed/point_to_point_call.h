// SPDX-License-Identifier: Apache-2.0
// Internal to PointToPointCommunicator: how its members run, so that every error ends the communicator on all ranks.
#pragma once

#include <utility>

#include "distributed/point_to_point.h"

namespace strata {

/// Another rank said that it has failed: the others know it from that rank.
class PeerFailure final : public CommError {
 public:
  using CommError::CommError;
};

/// Runs a public member. An error leaves ranks at different places, so it ends the communicator.
template <class F>
void PointToPointCommunicator::guard(const F& f) {
  const auto held = lock();
  guard_locked(f);
}

template <class F>
void PointToPointCommunicator::guard_locked(const F& f) {
  if (failed_aside_) std::rethrow_exception(std::exchange(failed_aside_, nullptr));
  check_usable();
  try {
    f();
  } catch (const PeerFailure& error) {
    fail(error.what());
    throw;
  } catch (const CommError& error) {
    fail(error.what());
    notes_.tell_failed(stamp_, error.peer(), error.what());
    throw;
  } catch (const std::exception& error) {
    fail(error.what());
    notes_.tell_failed(stamp_, -1, error.what());
    throw;
  }
}

/// Runs a collective on host memory.
template <class F>
void PointToPointCommunicator::call(CallKind kind, std::uint64_t bytes, std::uint64_t detail, const F& f) {
  guard([&] {
    stamp_ = calls_.begin(kind, bytes, detail, position_);
    const CallRecorder::Entry entry = recorder_.start(stamp_, {});
    const auto begin = Clock::now();
    f();
    recorder_.done(entry, stamp_, {}, 0);
    cost_.exposed_seconds += std::chrono::duration<double>(Clock::now() - begin).count();
  });
}

}  // namespace strata
