// SPDX-License-Identifier: Apache-2.0
// A thread that lets messages advance while the thread that trains is busy with a long operation.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "distributed/transport.h"

namespace strata {

/// Calls a function again and again while it has something to do. It and everything that touches the same communicator
/// hold the lock. Pays where a rank has a core to spare: else it takes the time of the computation that it hides
/// behind.
class CommunicationThread {
 public:
  /// With STRATA_COMMUNICATION_THREAD=1 in the environment, and on a transport that other threads may use; else null.
  /// `advance` returns whether there is more to do.
  static std::unique_ptr<CommunicationThread> from_environment(Transport& transport, std::function<bool()> advance);

  CommunicationThread(std::mutex& mutex, std::function<bool()> advance);
  ~CommunicationThread();
  CommunicationThread(const CommunicationThread&) = delete;
  CommunicationThread& operator=(const CommunicationThread&) = delete;

  std::unique_lock<std::mutex> lock() { return std::unique_lock(mutex_); }
  std::unique_lock<std::mutex> try_lock() { return {mutex_, std::try_to_lock}; }
  /// There is something to do. REQUIRES: the lock is held.
  void wake();

 private:
  void run();

  std::mutex& mutex_;
  std::function<bool()> advance_;
  std::condition_variable condition_;
  bool awake_ = false;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace strata
