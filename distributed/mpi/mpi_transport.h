// SPDX-License-Identifier: Apache-2.0
// Messages over MPI.
#pragma once

#include <mpi.h>

#include <memory>
#include <thread>
#include <vector>

#include "distributed/rank_identity.h"
#include "distributed/transport.h"

namespace strata {

class MpiTransport final : public Transport {
 public:
  /// Duplicates `communicator`. Collective over it; throws CommError when a rank does not come within `deadline`,
  /// ConfigError on a thread that may not call MPI. `ours`: nobody but Strata calls MPI in this process, so that its
  /// threads can take turns where MPI does not allow them to call at once.
  static std::unique_ptr<MpiTransport> duplicate(MPI_Comm communicator, Clock::duration deadline, bool ours);
  /// Gives up the messages under way, unless MPI has been finalised. The communicator is not freed.
  ~MpiTransport() override;

  int rank() const override { return rank_; }
  int size() const override { return static_cast<int>(identities_.size()); }
  std::string describe(int rank) const override;
  const std::vector<int>& hosts() const override { return hosts_; }

  void reserve(int requests) override;
  Request isend(const void* data, std::size_t bytes, int peer, int tag) override;
  Request irecv(void* data, std::size_t bytes, int peer, int tag) override;
  bool test(Request request) override;
  int probe(int tag) override;
  void cancel(Request request) noexcept override;
  int lost_rank(int peer) override;
  std::mutex* mutex() override;
  std::unique_ptr<Transport> split(int color, std::span<const int> ranks) override;

 private:
  struct Slot {
    MPI_Request request = MPI_REQUEST_NULL;
    bool used = false;
    bool receiving = false;
    int peer = 0;
    int bytes = 0;
  };

  MpiTransport(MPI_Comm communicator, Clock::duration deadline, int rank, std::vector<int> members,
               std::vector<RankIdentity> identities);
  void require_thread() const;
  Request new_slot(bool receiving, std::size_t bytes, int peer);
  int member(int rank) const { return members_[static_cast<std::size_t>(rank)]; }
  Slot& slot(Request request) { return slots_[static_cast<std::size_t>(request)]; }
  void check_length(const Slot& slot, const MPI_Status& status) const;

  MPI_Comm communicator_;
  Clock::duration deadline_;  // of split
  int rank_;
  std::vector<int> members_;              // the place of every rank in communicator_, which may have more
  std::vector<RankIdentity> identities_;  // of every rank
  std::vector<int> hosts_;
  bool has_threads_ = false;     // besides the caller's there may be others
  std::thread::id only_thread_;  // that may call MPI; none: any may
  std::vector<Slot> slots_;
  std::vector<Request> free_;
  Clock::time_point next_look_;  // for ranks that have ended
  int lost_ = -1;
};

}  // namespace strata
