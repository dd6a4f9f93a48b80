// SPDX-License-Identifier: Apache-2.0
// The members of a sum over blocks: ranks that reach each other's partials in memory act as one towards the others.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "distributed/call_stamp.h"
#include "distributed/shared_storage.h"

namespace strata {

/// Where a rank tells the others of its host how far it is with one sum. In shared memory, zero at the beginning.
struct alignas(64) SumPort {
  std::atomic<std::uint64_t> arrived;  // times that its partials were ready
  std::atomic<std::uint64_t> done;     // times that it was through
  CallStamp stamp;                     // of the last time that it arrived: nobody comes again before all were through
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "ports are used by several processes");

/// One rank's view of a sum's members.
struct SumGroups {
  std::vector<int> bounds;          // the first rank of every group, then the number of ranks
  int own = 0;                      // this rank's group
  int place = 0;                    // this rank's among its group
  std::vector<void*> partials;      // of all blocks of the own group, as this process sees them
  std::vector<SumPort*> ports;      // of the own group's ranks; empty when it is this rank alone
  std::shared_ptr<Storage> memory;  // keeps what others see
  std::shared_ptr<Storage> port_memory;

  int groups() const { return static_cast<int>(bounds.size()) - 1; }
  int first(int group) const { return bounds[static_cast<std::size_t>(group)]; }
  int size(int group) const { return first(group + 1) - first(group); }
  int own_size() const { return size(own); }
};

/// The other ranks of a port's host have come to the same step of the same sum, or CommError.
class PortWatch {
 public:
  PortWatch(std::vector<SumPort*> ports, int own_place, int first_rank);

  /// This rank's partials are ready.
  void arrive(const CallStamp& stamp);
  /// Whether all have arrived. Throws Diverged when one has arrived at something else.
  bool all_arrived();
  void finish();
  bool all_done() const;
  /// The first rank that has not arrived, or is not done.
  int first_missing() const;
  int first_unfinished() const;

 private:
  std::vector<SumPort*> ports_;
  std::size_t own_;
  int first_rank_;
  std::uint64_t times_ = 0;
  std::size_t next_ = 0;  // the first port not yet seen to have arrived
};

/// Another rank has gone another way: caught and made a CommError where ranks can be described.
struct Diverged {
  int rank;
  CallStamp theirs;
};

}  // namespace strata
