// SPDX-License-Identifier: Apache-2.0
#include "distributed/point_to_point.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/base/error.h"
#include "distributed/binomial_tree.h"
#include "distributed/block_sum.h"
#include "distributed/row_sum.h"

namespace strata {
namespace {

// Collectives run one after the other and messages of one tag keep their order, so one tag is enough for them.
constexpr int kCollectiveTag = 0;
constexpr int kSumTags = (Transport::kTags - 1) / SumRun::kTags;

// Long messages go in pieces, so that a tree of ranks passes on one while the next is on its way.
constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

// Calls f(offset, bytes) for every piece of a message.
template <class F>
void for_each_piece(std::size_t bytes, F&& f) {
  for (std::size_t offset = 0; offset < bytes; offset += kPieceBytes) f(offset, std::min(kPieceBytes, bytes - offset));
}

}  // namespace

// A sum as its communicator knows it: adds the deadline, the list of running sums and the state after an error.
class PointToPointCommunicator::PreparedSum final : public BlockSum {
 public:
  PreparedSum(PointToPointCommunicator& communicator, int number, std::string name, Collective collective,
              std::unique_ptr<SumRun> run)
      : communicator_(communicator),
        track_(TimelineRecorder::kTransfers + number),
        name_(std::move(name)),
        collective_(std::move(collective)),
        run_(std::move(run)) {
    ++communicator_.prepared_;
    communicator_.reserve();
  }

  ~PreparedSum() override {
    std::erase(communicator_.running_, this);
    --communicator_.prepared_;
  }

  void start() override {
    if (!run_->done()) throw ConfigError(name_ + " was started again before it was done");
    communicator_.guard([&] {
      if (communicator_.log_.on()) entry_ = communicator_.log_.start(collective_, communicator_.position_);
      run_->start();
      if (!finished()) communicator_.running_.push_back(this);
    });
  }

  bool advance() override {
    communicator_.progress();
    return run_->done();
  }

  void wait() override {
    communicator_.guard([&] {
      Patience patience(*communicator_.transport_, communicator_.deadline(), name_);
      while (!run_->done()) {
        // All of them: a peer may need one of the others first.
        if (communicator_.advance_sums()) {
          patience.restart();
        } else {
          patience.idle(run_->awaited());
        }
      }
    });
  }

  SumRun& run() { return *run_; }
  /// Whether it is done; notes that it is. Once a run.
  bool finished() {
    if (!run_->done()) return false;
    if (entry_) communicator_.log_.done(*entry_, collective_, track_);
    entry_.reset();
    return true;
  }

 private:
  PointToPointCommunicator& communicator_;
  std::int32_t track_;  // of the timeline
  std::string name_;
  Collective collective_;
  std::optional<CollectiveLog::Entry> entry_;  // where somebody looks
  std::unique_ptr<SumRun> run_;
};

PointToPointCommunicator::PointToPointCommunicator(std::unique_ptr<Transport> transport, const FlightGroup* group)
    : transport_(std::move(transport)), log_(*transport_, group), deadlines_(default_deadlines()) {
  reserve();
}

PointToPointCommunicator::~PointToPointCommunicator() = default;

void PointToPointCommunicator::begin_step(const StepPosition& position, bool first) {
  position_ = position;
  in_step_ = !first;
}

// Makes room for all that can be under way at once, so that a step of training allocates nothing.
void PointToPointCommunicator::reserve() {
  // A broadcast has the most: a message to every child.
  const int collective = std::bit_width(static_cast<unsigned>(size())) + 1;
  messages_.reserve(static_cast<std::size_t>(collective));
  running_.reserve(static_cast<std::size_t>(prepared_));
  transport_->reserve(collective + prepared_ * SumRun::kTags);
}

// Runs a public call. An error leaves ranks at different places, so it ends the communicator.
template <class F>
void PointToPointCommunicator::guard(const F& f) {
  if (!usable()) {
    throw CommError(rank(), -1, "any operation",
                    fmt::format("rank {}: this communicator is unusable after an earlier error: {}", rank(), failure_));
  }
  try {
    f();
  } catch (const std::exception& error) {
    failure_ = error.what();
    log_.fail(failure_);
    for (const InFlight& message : messages_) transport_->cancel(message.request);
    messages_.clear();
    for (PreparedSum* sum : running_) sum->run().cancel();
    running_.clear();
    throw;
  }
}

// The same, noted as one of the collectives that all ranks are in. `root`: -1 without one.
template <class F>
void PointToPointCommunicator::collective(CollectiveKind kind, std::size_t bytes, int root, const F& f) {
  guard([&] {
    if (!log_.on()) return f();
    const Collective noted = describe_collective(kind, bytes, root);
    const CollectiveLog::Entry entry = log_.start(noted, position_);
    f();
    log_.done(entry, noted, 0);
  });
}

void PointToPointCommunicator::check_root(int root, const char* operation) const {
  if (root >= 0 && root < size()) return;
  throw ConfigError(fmt::format("{}: expected a root from 0 to {}, received {}", operation, size() - 1, root));
}

void PointToPointCommunicator::check_gather(std::size_t bytes, std::size_t places,
                                            std::span<const std::size_t> receive_bytes) const {
  const auto ranks = static_cast<std::size_t>(size());
  if (places != ranks || receive_bytes.size() != ranks) {
    throw ConfigError(fmt::format("gather: the root expected {} places to receive, received {} places and {} sizes",
                                  ranks, places, receive_bytes.size()));
  }
  const std::size_t own = receive_bytes[static_cast<std::size_t>(rank())];
  if (own != bytes) {
    throw ConfigError(fmt::format("gather: the root sends {} bytes but expects {} of itself", bytes, own));
  }
}

void PointToPointCommunicator::send(const void* data, std::size_t bytes, int peer) {
  messages_.push_back({transport_->isend(data, bytes, peer, kCollectiveTag), {.peer = peer, .sending = true}});
}

void PointToPointCommunicator::receive(void* data, std::size_t bytes, int peer) {
  messages_.push_back({transport_->irecv(data, bytes, peer, kCollectiveTag), {.peer = peer, .sending = false}});
}

// Waits until the messages begun above are over.
void PointToPointCommunicator::complete(std::string_view operation) {
  Patience patience(*transport_, deadline(), operation);
  while (!messages_.empty()) {
    const bool moved = test_messages();
    if (advance_sums() || moved) {
      patience.restart();
    } else {
      patience.idle(messages_.front().awaited);
    }
  }
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

bool PointToPointCommunicator::advance_sums() {
  bool moved = false;
  for (PreparedSum* sum : running_) moved |= sum->run().advance();
  std::erase_if(running_, [](PreparedSum* sum) { return sum->finished(); });
  return moved;
}

void PointToPointCommunicator::progress() {
  guard([&] { advance_sums(); });
}

void PointToPointCommunicator::broadcast(void* data, std::size_t bytes, int root) {
  check_root(root, "broadcast");
  collective(CollectiveKind::broadcast, bytes, root, [&] {
    const int position = (rank() - root + size()) % size();
    const auto actual = [&](int p) { return (p + root) % size(); };
    for_each_piece(bytes, [&](std::size_t offset, std::size_t length) {
      std::byte* piece = static_cast<std::byte*>(data) + offset;
      if (position > 0) {
        receive(piece, length, actual(binomial_parent(position)));
        complete("broadcast");
      }
      for_each_binomial_child(position, size(), [&](int child) { send(piece, length, actual(child)); });
      complete("broadcast");
    });
  });
}

void PointToPointCommunicator::allgather(const void* send_data, void* receive_data, std::size_t bytes) {
  collective(CollectiveKind::allgather, bytes, -1,
             [&] { allgather_rounds(send_data, receive_data, bytes, "allgather"); });
}

// Around a ring: in each round a rank passes on what it received in the round before.
void PointToPointCommunicator::allgather_rounds(const void* send_data, void* receive_data, std::size_t bytes,
                                                std::string_view operation) {
  const int ranks = size();
  const auto place = [&](int r) { return static_cast<std::byte*>(receive_data) + static_cast<std::size_t>(r) * bytes; };
  if (bytes > 0) std::memmove(place(rank()), send_data, bytes);
  for (int round = 1; round < ranks; ++round) {
    const std::byte* passed_on = place((rank() - round + 1 + ranks) % ranks);
    std::byte* received = place((rank() - round + ranks) % ranks);
    for_each_piece(bytes, [&](std::size_t offset, std::size_t length) {
      receive(received + offset, length, (rank() - 1 + ranks) % ranks);
      send(passed_on + offset, length, (rank() + 1) % ranks);
      complete(operation);
    });
  }
}

void PointToPointCommunicator::gather(const void* send_data, std::size_t bytes, std::span<void* const> receive_data,
                                      std::span<const std::size_t> receive_bytes, int root) {
  check_root(root, "gather");
  if (rank() == root) check_gather(bytes, receive_data.size(), receive_bytes);
  collective(CollectiveKind::gather, bytes, root, [&] {
    if (rank() != root) {
      for_each_piece(bytes, [&](std::size_t offset, std::size_t length) {
        send(static_cast<const std::byte*>(send_data) + offset, length, root);
        complete("gather");
      });
      return;
    }
    const auto own = static_cast<std::size_t>(root);
    if (bytes > 0) std::memmove(receive_data[own], send_data, bytes);
    for (std::size_t r = 0; r < receive_data.size(); ++r) {
      if (r == own) continue;
      for_each_piece(receive_bytes[r], [&](std::size_t offset, std::size_t length) {
        receive(static_cast<std::byte*>(receive_data[r]) + offset, length, static_cast<int>(r));
        complete("gather");
      });
    }
  });
}

// The dissemination barrier of Hensgen, Finkel and Manber, "Two algorithms for barrier synchronization", International
// Journal of Parallel Programming 17 (1988): after round k a rank has heard, directly or not, of 2^(k+1) - 1 others.
void PointToPointCommunicator::barrier() {
  collective(CollectiveKind::barrier, 0, -1, [&] {
    for (int distance = 1; distance < size(); distance *= 2) {
      receive(&token_[1], 1, (rank() - distance + size()) % size());
      send(&token_[0], 1, (rank() + distance) % size());
      complete("barrier");
    }
  });
}

std::unique_ptr<Communicator> PointToPointCommunicator::split(int color, int key) {
  if (color < 0) throw ConfigError(fmt::format("split: expected a color of at least 0, received {}", color));
  struct Choice {
    int color, key;
  };
  const Choice own{color, key};
  std::vector<Choice> choices(static_cast<std::size_t>(size()));
  std::unique_ptr<PointToPointCommunicator> part;
  const auto group = log_.next_part(color);
  collective(CollectiveKind::split, 0, -1, [&] {
    allgather_rounds(&own, choices.data(), sizeof own, "split");
    std::vector<int> ranks;
    for (int r = 0; r < size(); ++r) {
      if (choices[static_cast<std::size_t>(r)].color == color) ranks.push_back(r);
    }
    std::stable_sort(ranks.begin(), ranks.end(), [&](int a, int b) {
      return choices[static_cast<std::size_t>(a)].key < choices[static_cast<std::size_t>(b)].key;
    });
    part = std::make_unique<PointToPointCommunicator>(transport_->split(color, ranks), group ? &*group : nullptr);
    part->set_deadlines(deadlines_);
  });
  return part;
}

std::shared_ptr<Storage> PointToPointCommunicator::allocate(Device& device, std::size_t bytes) {
  auto storage = std::make_shared<Storage>(device, bytes);
  const auto stream = device.make_stream();
  device.zero(storage->data(), bytes, *stream);
  stream->synchronize();
  return storage;
}

// Ranks prepare the same sums in the same order. So do small ones spread over the ranks where they come together.
PointToPointCommunicator::SumPlace PointToPointCommunicator::next_sum() {
  const SumPlace place{sums_, 1 + sums_ % kSumTags * SumRun::kTags, sums_ % size()};
  ++sums_;
  return place;
}

std::unique_ptr<BlockSum> PointToPointCommunicator::prepare_block_sum(Device& device, const BlockSumSpec& spec) {
  check_block_sum(spec, size(), rank());
  const SumPlace place = next_sum();
  return std::make_unique<PreparedSum>(*this, place.number, fmt::format("block sum {}", place.number),
                                       describe_collective(spec),
                                       std::make_unique<BlockSumRun>(*transport_, device, spec, place.tag, place.root));
}

std::unique_ptr<BlockSum> PointToPointCommunicator::prepare_row_sum(Device& device, const RowSumSpec& spec) {
  check_row_sum(spec, size(), rank());
  const SumPlace place = next_sum();
  return std::make_unique<PreparedSum>(*this, place.number, fmt::format("row sum {}", place.number),
                                       describe_collective(spec),
                                       std::make_unique<RowSumRun>(*transport_, device, spec, place.tag, place.root));
}

}  // namespace strata
