// SPDX-License-Identifier: Apache-2.0
#include "distributed/local/local_world.h"

namespace strata {

void Mailbox::put(Envelope& envelope) {
  const std::lock_guard lock(mutex_);
  Envelope** place = &first_;
  while (*place != nullptr) place = &(*place)->next;
  envelope.next = nullptr;
  *place = &envelope;
}

Envelope* Mailbox::take(int source, int tag) {
  const std::lock_guard lock(mutex_);
  for (Envelope** place = &first_; *place != nullptr; place = &(*place)->next) {
    Envelope* envelope = *place;
    if (envelope->source != source || envelope->tag != tag) continue;
    *place = envelope->next;
    return envelope;
  }
  return nullptr;
}

int Mailbox::sender(int tag) {
  const std::lock_guard lock(mutex_);
  for (const Envelope* envelope = first_; envelope != nullptr; envelope = envelope->next) {
    if (envelope->tag == tag) return envelope->source;
  }
  return -1;
}

bool Mailbox::withdraw(const Envelope& envelope) {
  const std::lock_guard lock(mutex_);
  for (Envelope** place = &first_; *place != nullptr; place = &(*place)->next) {
    if (*place != &envelope) continue;
    *place = envelope.next;
    return true;
  }
  return false;
}

void LocalWorld::leave(int rank, bool failed) {
  int nobody = -1;
  if (failed) first_failed_.compare_exchange_strong(nobody, rank, std::memory_order_acq_rel);
  left_[static_cast<std::size_t>(rank)].store(true, std::memory_order_release);
}

std::shared_ptr<LocalWorld> LocalWorld::part(int number, int color, const std::vector<int>& hosts) {
  const std::lock_guard lock(mutex_);
  const auto [entry, added] = parts_.try_emplace({number, color});
  Part& part = entry->second;
  if (added) part = {std::make_shared<LocalWorld>(hosts), hosts.back()};
  std::shared_ptr<LocalWorld> world = part.world;
  if (--part.missing == 0) parts_.erase(entry);
  return world;
}

}  // namespace strata
