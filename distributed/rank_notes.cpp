// SPDX-License-Identifier: Apache-2.0
#include "distributed/rank_notes.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/fixed_text.h"

namespace strata {

void RankNotes::cancel() noexcept {
  for (const Sent& sent : sent_) transport_.cancel(sent.request);
  sent_.clear();
  if (receiving_) transport_.cancel(*receiving_);
  receiving_.reset();
}

void RankNotes::send(int peer, const std::shared_ptr<const RankNote>& note) {
  std::erase_if(sent_, [&](const Sent& sent) { return transport_.test(sent.request); });
  sent_.push_back({note, transport_.isend(note.get(), sizeof(RankNote), peer, kTag)});
}

void RankNotes::tell_waiting(int peer, const CallStamp& stamp) {
  const auto note = std::make_shared<RankNote>();
  note->stamp = stamp;
  send(peer, note);
}

void RankNotes::tell_failed(const CallStamp& stamp, int about, std::string_view text) noexcept {
  try {
    const auto note = std::make_shared<RankNote>();
    note->kind = RankNote::Kind::failed;
    note->about = about;
    note->stamp = stamp;
    copy_text(note->text, text);
    for (int peer = 0; peer < transport_.size(); ++peer) {
      if (peer != transport_.rank()) send(peer, note);
    }
  } catch (const std::exception&) {
    // There is an error already; the others' deadlines tell them of it, too.
  }
}

std::optional<RankNotes::Received> RankNotes::receive() {
  if (!receiving_) {
    const int from = transport_.probe(kTag);
    if (from < 0) return {};
    incoming_.from = from;
    receiving_ = transport_.irecv(&incoming_.note, sizeof(RankNote), from, kTag);
  }
  if (!transport_.test(*receiving_)) return {};
  receiving_.reset();
  incoming_.note.text.back() = '\0';
  return incoming_;
}

}  // namespace strata
