// SPDX-License-Identifier: Apache-2.0
// The collectives, written once on messages between two ranks.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/program/communicator.h"
#include "distributed/collective_log.h"
#include "distributed/patience.h"
#include "distributed/transport.h"

namespace strata {

/// A Communicator on any Transport. Used by one thread at a time; its block sums must not outlive it. The deadline
/// counts from the last message that arrived or left. After an error the ranks no longer agree on what comes next, so
/// every later call throws CommError at once.
class PointToPointCommunicator final : public Communicator {
 public:
  /// Throws ConfigError when STRATA_DEADLINE is not a number of seconds, IoError when the flight recorder's file cannot
  /// be made. `group`: what the flight recorder calls a part of another communicator.
  explicit PointToPointCommunicator(std::unique_ptr<Transport> transport, const FlightGroup* group = nullptr);
  ~PointToPointCommunicator() override;
  PointToPointCommunicator(const PointToPointCommunicator&) = delete;
  PointToPointCommunicator& operator=(const PointToPointCommunicator&) = delete;

  int rank() const override { return transport_->rank(); }
  int size() const override { return transport_->size(); }
  std::string describe(int rank) const override { return transport_->describe(rank); }
  void set_deadlines(const Deadlines& deadlines) override { deadlines_ = deadlines; }
  Deadlines deadlines() const override { return deadlines_; }
  void begin_step(const StepPosition& position, bool first) override;
  void end_step() override { begin_step({}, true); }
  CommunicationCost cost() const override { return cost_; }

  void broadcast(void* data, std::size_t bytes, int root) override;
  void allgather(const void* send, void* receive, std::size_t bytes) override;
  void gather(const void* send, std::size_t bytes, std::span<void* const> receive,
              std::span<const std::size_t> receive_bytes, int root) override;
  void barrier() override;
  std::unique_ptr<Communicator> split(int color, int key) override;

  std::shared_ptr<Storage> allocate(Device& device, std::size_t bytes) override;
  std::unique_ptr<BlockSum> prepare_block_sum(Device& device, const BlockSumSpec& spec) override;
  std::unique_ptr<BlockSum> prepare_row_sum(Device& device, const RowSumSpec& spec) override;
  void progress() override;

  /// Whether no error has occurred yet.
  bool usable() const { return failure_.empty(); }

 private:
  class PreparedSum;
  struct InFlight {
    Transport::Request request;
    Awaited awaited;
  };

  /// What tells a prepared sum from the others.
  struct SumPlace {
    int number;
    int tag;
    int root;
  };

  void reserve();
  Clock::duration deadline() const { return in_step_ ? deadlines_.step : deadlines_.first; }
  SumPlace next_sum();
  template <class F>
  void guard(const F& f);
  template <class F>
  void collective(CollectiveKind kind, std::size_t bytes, int root, const F& f);
  void check_root(int root, const char* operation) const;
  void check_gather(std::size_t bytes, std::size_t places, std::span<const std::size_t> receive_bytes) const;

  // The messages of the collective under way.
  void send(const void* data, std::size_t bytes, int peer);
  void receive(void* data, std::size_t bytes, int peer);
  void complete(std::string_view operation);
  bool test_messages();
  bool advance_sums();
  void allgather_rounds(const void* send_data, void* receive_data, std::size_t bytes, std::string_view operation);

  std::unique_ptr<Transport> transport_;
  CollectiveLog log_;
  Deadlines deadlines_;
  StepPosition position_;
  bool in_step_ = false;  // and not the first of its kind
  CommunicationCost cost_;
  std::vector<InFlight> messages_;
  std::vector<PreparedSum*> running_;  // in the order they were started
  int sums_ = 0;                       // ever prepared; their numbers give the tags
  int prepared_ = 0;                   // that exist now
  char token_[2] = {};                 // what a barrier sends and receives
  std::string failure_;                // of the first error
};

}  // namespace strata
