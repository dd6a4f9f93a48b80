// SPDX-License-Identifier: Apache-2.0
// The collectives, written once on messages between two ranks.
#pragma once

#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "core/program/communicator.h"
#include "distributed/block_sum_plan.h"
#include "distributed/call_recorder.h"
#include "distributed/call_stamp.h"
#include "distributed/communication_thread.h"
#include "distributed/host_memory.h"
#include "distributed/patience.h"
#include "distributed/rank_notes.h"
#include "distributed/sum_group.h"
#include "distributed/sum_run.h"
#include "distributed/transport.h"

namespace strata {

/// A Communicator on any Transport. Used by one thread at a time, beside which it may have one of its own (README,
/// STRATA_COMMUNICATION_THREAD); its block sums must not outlive it. The deadline
/// counts from the last message that arrived or left. Ranks compare what they call and where training stands, so that
/// one which has gone another way is a CommError on all. After an error the ranks no longer agree on what comes next:
/// the others are told, and every later call throws CommError at once.
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
  void end_step() override;
  CommunicationCost cost() const override;

  void broadcast(void* data, std::size_t bytes, int root) override;
  void allgather(const void* send, void* receive, std::size_t bytes) override;
  void gather(const void* send, std::size_t bytes, std::span<void* const> receive,
              std::span<const std::size_t> receive_bytes, int root) override;
  void barrier() override;
  std::unique_ptr<Communicator> split(int color, int key) override;

  std::shared_ptr<Storage> allocate(Device& device, std::size_t bytes) override;
  std::unique_ptr<PreparedCollective> prepare_block_sum(Device& device, const BlockSumSpec& spec) override;
  std::unique_ptr<PreparedCollective> prepare_row_sum(Device& device, const RowSumSpec& spec) override;
  std::unique_ptr<PreparedCollective> prepare_allgather(Device& device, const AllgatherSpec& spec) override;
  void progress() override;

  /// Whether no error has occurred yet.
  bool usable() const { return failure_.empty(); }
  /// This rank goes no further: tells the others why, and throws from now on.
  void abandon(const std::string& why) noexcept;
  /// The program ends in order while this still exists: says so in the flight recorder. Nothing is sent from now on.
  void finish() {
    thread_.reset();
    recorder_.finish();
  }

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
  std::unique_lock<std::mutex> lock() const;
  template <class F>
  void guard(const F& f);
  template <class F>
  void guard_locked(const F& f);
  template <class F>
  void call(CallKind kind, std::uint64_t bytes, std::uint64_t detail, const F& f);
  void check_usable() const;
  void fail(const std::string& error) noexcept;
  [[noreturn]] void fail_diverged(int peer, const CallStamp& theirs, const CallStamp& own) const;
  void check_root(int root, const char* operation) const;
  void check_gather(std::size_t bytes, std::size_t places, std::span<const std::size_t> receive_bytes) const;

  // The messages of the collective under way.
  void send(const void* data, std::size_t bytes, int peer);
  void receive(void* data, std::size_t bytes, int peer);
  void complete(std::string_view operation);
  void cancel_messages() noexcept;
  bool test_messages();
  bool advance_sums(bool also_local = true);
  bool advance_aside();
  bool advance(const PreparedSum& sum) const;
  void idle(Patience& patience, const Awaited& awaited, const CallStamp& stamp);
  void heed(const RankNotes::Received& received) const;
  void send_stamp(int peer) { send(&stamp_, sizeof stamp_, peer); }
  void receive_stamp(int peer, std::string_view operation);
  void exchange_stamps(int to, int from, std::string_view operation);
  void allgather_rounds(const void* send_data, void* receive_data, std::size_t bytes, std::string_view operation);

  SumPlace next_sum();
  std::unique_ptr<SumRun> make_block_sum(Device& device, const BlockSumSpec& spec, const SumPlace& place, SumPart part);
  SumGroups group_hosts(const BlockSumSpec& spec);
  SumGroups group_alone(const BlockSumSpec& spec) const;
  void add_ports(SumGroups& groups, const HostMemory::Place& place) const;

  std::unique_ptr<Transport> transport_;
  Deadlines deadlines_;
  StepPosition position_;
  bool in_step_ = false;  // and not the first of its kind
  HostMemory memory_;
  CallLog calls_;
  CallRecorder recorder_;
  CallStamp stamp_;     // of the collective under way
  CallStamp received_;  // another rank's
  RankNotes notes_;
  int told_rank_ = -1;  // last, that this rank waits for it in that call
  std::uint64_t told_call_ = 0;
  std::vector<InFlight> messages_;
  std::vector<PreparedSum*> running_;   // in the order they were started
  std::vector<PreparedSum*> prepared_;  // that exist now
  int sums_ = 0;                        // ever prepared; their numbers give the tags
  CommunicationCost cost_;              // but for the bytes of sums that exist now
  std::string failure_;                 // of the first error
  std::exception_ptr failed_aside_;     // what it was, when the other thread met it, until it is thrown
  std::unique_ptr<CommunicationThread> thread_;
};

}  // namespace strata
