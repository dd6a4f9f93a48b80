// SPDX-License-Identifier: Apache-2.0
#include "distributed/communication_thread.h"

#include <chrono>
#include <cstdlib>
#include <string_view>

#include "core/base/thread_environment.h"
#include "core/base/verbose.h"

namespace strata {
namespace {

// Between two looks, in which the thread that trains may have its turn: a short message takes longer.
constexpr auto kPause = std::chrono::microseconds(20);

}  // namespace

std::unique_ptr<CommunicationThread> CommunicationThread::from_environment(Transport& transport,
                                                                           std::function<bool()> advance) {
  const char* text = std::getenv("STRATA_COMMUNICATION_THREAD");
  if (text == nullptr || std::string_view(text) != "1") return nullptr;
  std::mutex* mutex = transport.mutex();
  if (mutex == nullptr) {
    verbose_line("no communication thread: MPI is not Strata's alone, or allows calls from one thread only");
    return nullptr;
  }
  return std::make_unique<CommunicationThread>(*mutex, std::move(advance));
}

CommunicationThread::CommunicationThread(std::mutex& mutex, std::function<bool()> advance)
    : mutex_(mutex), advance_(std::move(advance)), thread_([this] { run(); }) {}

CommunicationThread::~CommunicationThread() {
  {
    const auto held = lock();
    stopped_ = true;
  }
  condition_.notify_one();
  thread_.join();
}

void CommunicationThread::wake() {
  awake_ = true;
  condition_.notify_one();
}

void CommunicationThread::run() {
  const ThreadEnvironment environment;
  auto held = lock();
  while (!stopped_) {
    if (advance_()) {
      held.unlock();
      std::this_thread::sleep_for(kPause);
      held.lock();
    } else {
      awake_ = false;
      condition_.wait(held, [this] { return awake_ || stopped_; });
    }
  }
}

}  // namespace strata
