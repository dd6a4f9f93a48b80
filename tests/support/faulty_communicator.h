// SPDX-License-Identifier: Apache-2.0
// Another communicator, on which a rank is late or fails at given times.
#pragma once

#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include "core/program/forwarding_communicator.h"
#include "tests/support/faults.h"

namespace strata::testing {

/// What a planted fault throws.
struct PlantedError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The faults of this rank happen in the first call after their time, whether of a collective or of progress(). A rank
/// cannot stop for good here: stop and kill throw.
class FaultyCommunicator final : public ForwardingCommunicator {
 public:
  /// `faults` are noted as they happen, and must outlive it.
  FaultyCommunicator(Communicator& inner, std::vector<Fault>& faults, Clock::time_point start)
      : ForwardingCommunicator(inner), start_(start) {
    for (Fault& fault : faults) {
      if (fault.rank == inner.rank()) faults_.push_back(&fault);
    }
  }

  void begin_step(const StepPosition& position, bool first) override {
    inner().begin_step(position, first);
    disturb();
  }
  void allgather(const void* send, void* receive, std::size_t bytes) override {
    disturb();
    inner().allgather(send, receive, bytes);
  }
  void progress() override {
    disturb();
    inner().progress();
  }

 private:
  void disturb() {
    while (next_ < faults_.size() && Clock::now() - start_ > std::chrono::duration<double>(faults_[next_]->at)) {
      Fault& fault = *faults_[next_++];
      fault.happened = true;
      if (fault.final()) throw PlantedError(fault.text());
      std::this_thread::sleep_for(std::chrono::duration<double>(fault.seconds));
    }
  }

  Clock::time_point start_;
  std::vector<Fault*> faults_;
  std::size_t next_ = 0;
};

}  // namespace strata::testing
