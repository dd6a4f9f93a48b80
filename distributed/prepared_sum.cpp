// SPDX-License-Identifier: Apache-2.0
#include "distributed/prepared_sum.h"

#include <algorithm>

#include "core/base/error.h"
#include "distributed/point_to_point_call.h"

namespace strata {

PointToPointCommunicator::PreparedSum::PreparedSum(PointToPointCommunicator& communicator, std::string name,
                                                   const SumKey& key, std::unique_ptr<SumRun> run)
    : communicator_(communicator),
      name_(std::move(name)),
      key_(key),
      track_(TimelineRecorder::kTransfers + communicator.sums_),
      run_(std::move(run)) {
  const auto held = communicator_.lock();
  communicator_.prepared_.push_back(this);
  communicator_.reserve();
}

PointToPointCommunicator::PreparedSum::~PreparedSum() {
  const auto held = communicator_.lock();
  communicator_.cost_.bytes_sent += run_->bytes_sent();
  run_.reset();
  std::erase(communicator_.running_, this);
  std::erase(communicator_.prepared_, this);
}

void PointToPointCommunicator::PreparedSum::start() {
  if (!done()) throw ConfigError(name_ + " was started again before it was done");
  communicator_.guard([&] {
    stamp_ = communicator_.calls_.begin(key_.kind, key_.bytes, key_.detail, communicator_.position_);
    entry_ = communicator_.recorder_.start(stamp_, name_);
    run_->start(stamp_);
    if (finished()) return;
    communicator_.running_.push_back(this);
    if (communicator_.thread_) communicator_.thread_->wake();
  });
}

bool PointToPointCommunicator::PreparedSum::finished() const {
  if (run_->done()) communicator_.recorder_.done(entry_, stamp_, name_, track_);
  return run_->done();
}

bool PointToPointCommunicator::PreparedSum::done() const {
  const auto held = communicator_.lock();
  return run_->done();
}

bool PointToPointCommunicator::PreparedSum::advance() {
  communicator_.guard([&] { communicator_.advance_sums(); });
  return done();
}

void PointToPointCommunicator::PreparedSum::wait() {
  communicator_.guard([&] {
    if (run_->done()) return;
    const auto begin = Clock::now();
    Patience patience(*communicator_.transport_, communicator_.deadline(), name_, communicator_.position_);
    while (!run_->done()) {
      // All of them: a peer may need one of the others first.
      if (communicator_.advance_sums()) {
        patience.restart();
      } else {
        communicator_.idle(patience, run_->awaited(), stamp_);
      }
    }
    communicator_.cost_.exposed_seconds += std::chrono::duration<double>(Clock::now() - begin).count();
  });
}

}  // namespace strata
