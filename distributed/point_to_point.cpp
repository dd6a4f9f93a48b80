// SPDX-License-Identifier: Apache-2.0
#include "distributed/point_to_point.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "core/base/error.h"
#include "distributed/point_to_point_call.h"
#include "distributed/prepared_sum.h"

namespace strata {
namespace {

using namespace std::chrono_literals;

// Collectives run one after the other and messages of one tag keep their order, so one tag is enough for them.
constexpr int kCollectiveTag = 0;

// After so long a rank tells the one it waits for.
constexpr auto kTellAfter = 500ms;

double seconds(Communicator::Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

PointToPointCommunicator::PointToPointCommunicator(std::unique_ptr<Transport> transport, const FlightGroup* group)
    : transport_(std::move(transport)),
      deadlines_(default_deadlines()),
      memory_(*transport_,
              [this](const void* own, void* all, std::size_t bytes) { allgather_rounds(own, all, bytes, "allocate"); }),
      recorder_(*transport_, group),
      notes_(*transport_) {
  reserve();
  thread_ = CommunicationThread::from_environment(*transport_, [this] { return advance_aside(); });
}

// The threads of other communicators may be at work.
PointToPointCommunicator::~PointToPointCommunicator() {
  std::mutex* mutex = thread_ ? transport_->mutex() : nullptr;
  thread_.reset();
  const auto held = mutex != nullptr ? std::unique_lock(*mutex) : std::unique_lock<std::mutex>();
  cancel_messages();
  notes_.cancel();
}

std::unique_lock<std::mutex> PointToPointCommunicator::lock() const {
  return thread_ ? thread_->lock() : std::unique_lock<std::mutex>();
}

void PointToPointCommunicator::begin_step(const StepPosition& position, bool first) {
  position_ = position;
  in_step_ = !first;
}

void PointToPointCommunicator::end_step() {
  position_ = {};
  in_step_ = false;
}

CommunicationCost PointToPointCommunicator::cost() const {
  const auto held = lock();
  CommunicationCost cost = cost_;
  for (const PreparedSum* sum : prepared_) cost.bytes_sent += sum->run().bytes_sent();
  return cost;
}

// Makes room for all that can be under way at once, so that a step of training allocates nothing.
void PointToPointCommunicator::reserve() {
  // A broadcast has the most: a stamp and a message to every child.
  const int collective = 2 * std::bit_width(static_cast<unsigned>(size())) + 2;
  messages_.reserve(static_cast<std::size_t>(collective));
  running_.reserve(prepared_.size());
  transport_->reserve(collective + static_cast<int>(prepared_.size()) * SumRun::kTags);
}

void PointToPointCommunicator::check_usable() const {
  if (usable()) return;
  throw CommError(rank(), -1, "any operation",
                  fmt::format("rank {}: this communicator is unusable after an earlier error: {}", rank(), failure_));
}

void PointToPointCommunicator::fail(const std::string& error) noexcept {
  failure_ = error;
  recorder_.fail(error);
  cancel_messages();
  for (PreparedSum* sum : running_) sum->run().cancel();
  running_.clear();
}

void PointToPointCommunicator::abandon(const std::string& why) noexcept {
  const auto held = lock();
  if (!usable()) return;
  fail(why);
  notes_.tell_failed(stamp_, -1, why);
}

void PointToPointCommunicator::fail_diverged(int peer, const CallStamp& theirs, const CallStamp& own) const {
  throw CommError(
      rank(), peer, std::string(to_string(own.kind)),
      fmt::format("the ranks have gone different ways: rank {} has come to {}; {} has come to {}. All ranks "
                  "must make the same calls in the same order.",
                  rank(), strata::describe(own), describe(peer), strata::describe(theirs)));
}

void PointToPointCommunicator::send(const void* data, std::size_t bytes, int peer) {
  messages_.push_back({transport_->isend(data, bytes, peer, kCollectiveTag), {peer, Awaited::What::room}});
  cost_.bytes_sent += static_cast<std::int64_t>(bytes);
}

void PointToPointCommunicator::receive(void* data, std::size_t bytes, int peer) {
  messages_.push_back({transport_->irecv(data, bytes, peer, kCollectiveTag), {peer, Awaited::What::message}});
}

// Waits until the messages begun above are over. After an error there are none: their memory may belong to the caller,
// whose it is no more once the error is on its way.
void PointToPointCommunicator::complete(std::string_view operation) {
  try {
    Patience patience(*transport_, deadline(), operation, position_);
    while (!messages_.empty()) {
      const bool moved = test_messages();
      if (advance_sums() || moved) {
        patience.restart();
      } else {
        idle(patience, messages_.front().awaited, stamp_);
      }
    }
  } catch (...) {
    cancel_messages();
    throw;
  }
}

void PointToPointCommunicator::cancel_messages() noexcept {
  for (const InFlight& message : messages_) transport_->cancel(message.request);
  messages_.clear();
}

bool PointToPointCommunicator::test_messages() {
  bool moved = false;
  for (std::size_t i = 0; i < messages_.size();) {
    if (transport_->test(messages_[i].request)) {
      messages_.erase(messages_.begin() + static_cast<std::ptrdiff_t>(i));
      moved = true;
    } else {
      ++i;
    }
  }
  return moved;
}

// The first that can go on: what is wanted first is done first, and a little at a time. Others fill its waits.
bool PointToPointCommunicator::advance_sums(bool also_local) {
  const bool moved = std::any_of(running_.begin(), running_.end(), [&](const PreparedSum* sum) {
    return (also_local || !sum->run().is_local()) && advance(*sum);
  });
  std::erase_if(running_, [](PreparedSum* sum) { return sum->finished(); });
  return moved;
}

bool PointToPointCommunicator::advance(const PreparedSum& sum) const {
  try {
    return sum.run().advance();
  } catch (const Diverged& diverged) {
    fail_diverged(diverged.rank, diverged.theirs, sum.stamp());
  }
}

// What is summed in memory is best left until it is waited for, and then used while it is in the caches. The wire is
// given all it takes: until the next call may be long.
void PointToPointCommunicator::progress() {
  std::unique_lock<std::mutex> held;
  if (thread_) held = thread_->try_lock();
  if (thread_ && !held) return;  // it is at work
  guard_locked([&] {
    if (running_.empty()) return;
    const auto begin = Clock::now();
    while (advance_sums(false)) {
    }
    cost_.hidden_seconds += seconds(Clock::now() - begin);
  });
}

// On the other thread. Returns whether messages are under way.
bool PointToPointCommunicator::advance_aside() {
  try {
    if (usable()) guard_locked([&] { advance_sums(false); });
  } catch (...) {
    failed_aside_ = std::current_exception();
  }
  return std::any_of(running_.begin(), running_.end(), [](const PreparedSum* sum) { return !sum->run().is_local(); });
}

// Nothing moves: also what is not waited for may tell why.
void PointToPointCommunicator::idle(Patience& patience, const Awaited& awaited, const CallStamp& stamp) {
  if (!patience.idle(awaited)) return;
  while (const auto received = notes_.receive()) heed(*received);
  const bool told = told_rank_ == awaited.peer && told_call_ == stamp.number;
  if (told || awaited.peer < 0 || patience.waited() < kTellAfter) return;
  notes_.tell_waiting(awaited.peer, stamp);
  told_rank_ = awaited.peer;
  told_call_ = stamp.number;
}

void PointToPointCommunicator::heed(const RankNotes::Received& received) const {
  const auto& [from, note] = received;
  if (note.kind == RankNote::Kind::failed) {
    const int about = note.about < 0 || note.about == rank() ? from : static_cast<int>(note.about);
    throw PeerFailure(rank(), about, std::string(to_string(stamp_.kind)),
                      fmt::format("rank {} cannot go on: {} has failed: {}", rank(), describe(from), note.text.data()));
  }
  const CallStamp* own = calls_.find(note.stamp.number);
  if (own != nullptr && *own != note.stamp) fail_diverged(from, note.stamp, *own);
}

}  // namespace strata
