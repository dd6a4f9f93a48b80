// SPDX-License-Identifier: Apache-2.0
// What ranks that are threads of one process share: a mailbox for each, and who has ended.
#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace strata {

/// A message that waits for its receiver, which copies it from the sender's memory.
struct Envelope {
  const void* data = nullptr;
  std::size_t bytes = 0;
  int source = 0;
  int tag = 0;
  std::atomic<bool> taken = false;  // the receiver is done with it
  Envelope* next = nullptr;         // in the mailbox
};

/// Messages to one rank, in the order they were sent: a list through the senders' envelopes. Thread-safe.
class Mailbox {
 public:
  void put(Envelope& envelope);
  /// The oldest message from `source` with `tag`, or null. Whoever takes it must set `taken` after copying.
  Envelope* take(int source, int tag);
  /// The sender of the oldest message with `tag`, or -1.
  int sender(int tag);
  /// Whether the message was still here; it then is no more.
  bool withdraw(const Envelope& envelope);

 private:
  std::mutex mutex_;
  Envelope* first_ = nullptr;
};

/// Thread-safe.
class LocalWorld {
 public:
  /// `hosts` as Transport::hosts() says: threads may act as if they were on several.
  explicit LocalWorld(std::vector<int> hosts)
      : hosts_(std::move(hosts)),
        mailboxes_(static_cast<std::size_t>(hosts_.back())),
        left_(static_cast<std::size_t>(hosts_.back())) {}

  int size() const { return static_cast<int>(mailboxes_.size()); }
  const std::vector<int>& hosts() const { return hosts_; }
  Mailbox& mailbox(int rank) { return mailboxes_[static_cast<std::size_t>(rank)]; }

  /// A rank sends and receives no more; `failed` when an error ended it, which then ends every wait of the others.
  void leave(int rank, bool failed);
  bool has_left(int rank) const { return left_[static_cast<std::size_t>(rank)].load(std::memory_order_acquire); }
  /// The rank that failed first, or -1.
  int first_failed() const { return first_failed_.load(std::memory_order_acquire); }

  /// The world of ranks on `hosts` that color `color` of the `number`-th split of this one makes: the same for all of
  /// them.
  std::shared_ptr<LocalWorld> part(int number, int color, const std::vector<int>& hosts);

 private:
  struct Part {
    std::shared_ptr<LocalWorld> world;
    int missing;  // ranks that have not asked yet
  };
  std::vector<int> hosts_;
  std::vector<Mailbox> mailboxes_;
  std::vector<std::atomic<bool>> left_;
  std::atomic<int> first_failed_ = -1;
  std::mutex mutex_;
  std::map<std::pair<int, int>, Part> parts_;
};

}  // namespace strata
