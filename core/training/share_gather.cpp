// SPDX-License-Identifier: Apache-2.0
#include "core/training/share_gather.h"

#include <algorithm>

namespace strata {
namespace {

// Of a rank in one message: long enough for the wire, short enough that all ranks' together need little memory.
constexpr std::size_t kPiece = 256 << 10;

}  // namespace

ShareGather::ShareGather(Communicator& communicator, Device& device)
    : communicator_(communicator),
      device_(device),
      cursors_(static_cast<std::size_t>(communicator.size())),
      shares_(cursors_.size()) {}

void ShareGather::reserve(std::size_t parts, std::size_t bytes) {
  parts_.reserve(parts);
  reserve_pieces(bytes);
}

/// For ranks of which none has more than `bytes`.
void ShareGather::reserve_pieces(std::size_t bytes) {
  const std::size_t piece = std::min(kPiece, bytes);
  if (send_.size() >= piece) return;
  send_.resize(piece);
  receive_.resize(cursors_.size() * piece);
}

void ShareGather::add(int owner, std::byte* data, std::size_t bytes) {
  if (bytes == 0) return;
  if (!parts_.empty() && parts_.back().owner == owner && parts_.back().data + parts_.back().bytes == data) {
    parts_.back().bytes += bytes;
  } else {
    parts_.push_back({owner, data, bytes});
  }
}

void ShareGather::add_shares(std::byte* data, std::size_t element_bytes, const Shares& shares) {
  for (int rank = 0; rank < shares.ranks; ++rank) {
    for (const IndexRange own : shares.of(rank)) {
      add(rank, data + static_cast<std::size_t>(own.first) * element_bytes,
          static_cast<std::size_t>(own.size()) * element_bytes);
    }
  }
}

/// Where the parts of each rank begin, and how long they are; returns the length of the longest.
std::size_t ShareGather::find_shares() {
  std::size_t part = 0;
  for (std::size_t r = 0; r < cursors_.size(); ++r) {
    cursors_[r] = {part, 0};
    shares_[r] = 0;
    for (; part < parts_.size() && parts_[part].owner == static_cast<int>(r); ++part) shares_[r] += parts_[part].bytes;
  }
  return *std::max_element(shares_.begin(), shares_.end());
}

/// Calls `use(data, bytes)` for the next `bytes` of a rank's parts, or as many as there are.
template <class F>
void ShareGather::for_next(Cursor& cursor, int owner, std::size_t bytes, const F& use) {
  while (bytes > 0 && cursor.part < parts_.size() && parts_[cursor.part].owner == owner) {
    const Part& part = parts_[cursor.part];
    const std::size_t now = std::min(bytes, part.bytes - cursor.offset);
    use(part.data + cursor.offset, now);
    bytes -= now;
    cursor.offset += now;
    if (cursor.offset == part.bytes) cursor = {cursor.part + 1, 0};
  }
}

void ShareGather::run(Stream& stream) {
  const std::size_t longest = find_shares();
  reserve_pieces(longest);
  const int own = communicator_.rank();
  for (std::size_t done = 0; done < longest; done += kPiece) {
    const std::size_t piece = std::min(kPiece, longest - done);
    std::byte* host = send_.data();
    for_next(cursors_[static_cast<std::size_t>(own)], own, piece, [&](std::byte* data, std::size_t bytes) {
      device_.copy_to_host(host, data, bytes, stream);
      host += bytes;
    });
    stream.synchronize();
    communicator_.allgather(send_.data(), receive_.data(), piece);
    for (int r = 0; r < communicator_.size(); ++r) {
      if (r == own) continue;
      host = receive_.data() + static_cast<std::size_t>(r) * piece;
      for_next(cursors_[static_cast<std::size_t>(r)], r, piece, [&](std::byte* data, std::size_t bytes) {
        device_.copy_from_host(data, host, bytes, stream);
        host += bytes;
      });
    }
    stream.synchronize();
  }
}

}  // namespace strata
