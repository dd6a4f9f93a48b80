// SPDX-License-Identifier: Apache-2.0
// The communicator of one process: nothing to send, but the same tree of additions over blocks.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "core/base/error.h"
#include "core/program/block_tree.h"
#include "core/program/communicator.h"

namespace strata {
namespace {

// One piece of every partial is summed before the next, so that a piece written on one level of the tree is still in
// the second-level cache on the next.
constexpr std::size_t kPieceBytes = 64 * 1024;

class SingleBlockSum final : public PreparedCollective {
 public:
  SingleBlockSum(Device& device, const BlockSumSpec& spec)
      : device_(device),
        stream_(device.make_stream()),
        event_(device.make_event()),
        dtype_(spec.dtype),
        count_(spec.count),
        partials_(spec.partials.begin(), spec.partials.end()),
        next_(spec.count) {}

  void start() override { next_ = 0; }

  bool advance() override {
    if (next_ < count_) {
      add_piece();
      event_->record(*stream_);
    }
    return next_ >= count_ && event_->query();
  }

  void wait() override {
    while (next_ < count_) add_piece();
    stream_->synchronize();
  }

 private:
  void add_piece() {
    const Dim piece = std::min(count_ - next_, static_cast<Dim>(kPieceBytes / size_of(dtype_)));
    const std::size_t offset = static_cast<std::size_t>(next_) * size_of(dtype_);
    const auto at = [&](std::size_t block) { return static_cast<std::byte*>(partials_[block]) + offset; };
    for_each_tree_sum(partials_.size(), [&](std::size_t to, std::size_t from) {
      accumulate(device_, *stream_, dtype_, at(to), at(from), piece);
    });
    next_ += piece;
  }

  Device& device_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<Event> event_;
  Dtype dtype_;
  Dim count_;
  std::vector<void*> partials_;
  Dim next_;  // the first element that is not summed yet
};

/// At once: rows of a step are few.
class SingleRowSum final : public PreparedCollective {
 public:
  SingleRowSum(Device& device, const RowSumSpec& spec)
      : rows_(device, spec.layout, spec.partials), count_(spec.partials.size()) {}

  void start() override {
    rows_.begin_read();
    state_ = State::reading;
  }

  bool advance() override {
    if (state_ == State::reading && rows_.ready()) add();
    return state_ == State::writing && rows_.ready();
  }

  void wait() override {
    rows_.wait();
    if (state_ == State::reading) add();
    rows_.wait();
  }

 private:
  enum class State { reading, writing };

  void add() {
    for_each_tree_sum(count_,
                      [&](std::size_t to, std::size_t from) { add_rows(rows_.layout(), rows_[to], rows_[from]); });
    end_rows(rows_[0]);
    rows_.begin_write();
    state_ = State::writing;
  }

  HostRows rows_;
  std::size_t count_;
  State state_ = State::writing;
};

/// The one rank has all.
class NothingToGather final : public PreparedCollective {
 public:
  void start() override {}
  bool advance() override { return true; }
  void wait() override {}
};

void check_root(int root) {
  if (root != 0) throw ConfigError("expected root 0 in a world of one rank, received " + std::to_string(root));
}

class SingleCommunicator final : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  std::string describe(int rank) const override {
    std::array<char, 256> host{};
    gethostname(host.data(), host.size() - 1);
    return "rank " + std::to_string(rank) + " (host " + host.data() + ", pid " + std::to_string(getpid()) + ")";
  }

  void set_deadlines(const Deadlines& deadlines) override { deadlines_ = deadlines; }
  Deadlines deadlines() const override { return deadlines_; }
  void begin_step(const StepPosition&, bool) override {}
  void end_step() override {}
  CommunicationCost cost() const override { return {}; }

  void broadcast(void*, std::size_t, int root) override { check_root(root); }
  void allgather(const void* send, void* receive, std::size_t bytes) override {
    if (bytes > 0) std::memmove(receive, send, bytes);
  }
  void gather(const void* send, std::size_t bytes, std::span<void* const> receive,
              std::span<const std::size_t> receive_bytes, int root) override {
    check_root(root);
    if (receive.size() != 1 || receive_bytes.size() != 1 || receive_bytes[0] != bytes) {
      throw ConfigError("gather: expected one place of " + std::to_string(bytes) + " bytes on the root");
    }
    if (bytes > 0) std::memmove(receive[0], send, bytes);
  }
  void barrier() override {}

  std::unique_ptr<Communicator> split(int color, int) override {
    if (color < 0) throw ConfigError("split: expected a color of at least 0, received " + std::to_string(color));
    return make_single_communicator();
  }

  std::shared_ptr<Storage> allocate(Device& device, std::size_t bytes) override {
    auto storage = std::make_shared<Storage>(device, bytes);
    const auto stream = device.make_stream();
    device.zero(storage->data(), bytes, *stream);
    stream->synchronize();
    return storage;
  }

  std::unique_ptr<PreparedCollective> prepare_block_sum(Device& device, const BlockSumSpec& spec) override {
    check_block_sum(spec, 1, 0);
    return std::make_unique<SingleBlockSum>(device, spec);
  }
  std::unique_ptr<PreparedCollective> prepare_row_sum(Device& device, const RowSumSpec& spec) override {
    check_row_sum(spec, 1, 0);
    return std::make_unique<SingleRowSum>(device, spec);
  }
  std::unique_ptr<PreparedCollective> prepare_allgather(Device&, const AllgatherSpec& spec) override {
    check_allgather(spec, 1);
    return std::make_unique<NothingToGather>();
  }
  void progress() override {}

 private:
  Deadlines deadlines_;
};

}  // namespace

std::unique_ptr<Communicator> make_single_communicator() { return std::make_unique<SingleCommunicator>(); }

}  // namespace strata
