// SPDX-License-Identifier: Apache-2.0
// Memory that the ranks of each host share, as one rank sees it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "distributed/shared_storage.h"
#include "distributed/transport.h"

namespace strata {

/// Members are collective over all ranks of the transport unless said otherwise: every host shares, or none.
class HostMemory {
 public:
  /// An allgather over all ranks.
  using Exchange = std::function<void(const void* own, void* all, std::size_t bytes)>;

  /// With STRATA_SHARED_MEMORY=0 in the environment of any rank nothing is shared.
  HostMemory(const Transport& transport, Exchange exchange);

  /// Zeroed, aligned to 64 bytes; `bytes` may differ from rank to rank. Null, on every rank, when memory cannot be
  /// shared or no two ranks are on one host.
  std::shared_ptr<SharedStorage> allocate(std::size_t bytes);
  /// A part of such memory which is never given back: `bytes` (equal on all ranks) at one offset in every rank's part.
  struct Place {
    std::shared_ptr<SharedStorage> memory;
    std::size_t offset;
  };
  /// As allocate(), for little: a system call only now and then. `memory` is null when that returns null.
  Place take(std::size_t bytes);

  /// What this rank got from allocate() around `data` and still has, or null. Not collective.
  std::shared_ptr<SharedStorage> find(const void* data);

 private:
  std::vector<std::shared_ptr<SharedSegment>> open(const std::vector<SharedSegment::Handle>& handles,
                                                   std::string& error) const;
  void give_up(const std::string& error);

  const Transport& transport_;
  Exchange exchange_;
  int first_, last_;  // the ranks of this host
  bool shares_;
  std::uint64_t allocated_ = 0;
  std::vector<std::weak_ptr<SharedStorage>> storages_;
  Place free_{};  // of a piece that take() hands out
};

}  // namespace strata
