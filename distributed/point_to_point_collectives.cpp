// SPDX-License-Identifier: Apache-2.0
// The collectives on host memory. Each begins with the stamps of the ranks that meet in it.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/base/error.h"
#include "distributed/binomial_tree.h"
#include "distributed/point_to_point.h"
#include "distributed/point_to_point_call.h"

namespace strata {
namespace {

// Long messages go in pieces, so that a tree of ranks passes on one while the next is on its way.
constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

// Calls f(offset, bytes) for every piece of a message.
template <class F>
void for_each_piece(std::size_t bytes, F&& f) {
  for (std::size_t offset = 0; offset < bytes; offset += kPieceBytes) f(offset, std::min(kPieceBytes, bytes - offset));
}

}  // namespace

void PointToPointCommunicator::check_root(int root, const char* operation) const {
  if (root >= 0 && root < size()) return;
  throw ConfigError(fmt::format("{}: expected a root from 0 to {}, received {}", operation, size() - 1, root));
}

void PointToPointCommunicator::check_gather(std::size_t bytes, std::size_t places,
                                            std::span<const std::size_t> receive_bytes) const {
  const auto ranks = static_cast<std::size_t>(size());
  if (places != ranks || receive_bytes.size() != ranks) {
    throw ConfigError(fmt::format("gather: the root expected {} places to receive, received {} places and {} sizes",
                                  ranks, places, receive_bytes.size()));
  }
  const std::size_t own = receive_bytes[static_cast<std::size_t>(rank())];
  if (own != bytes) {
    throw ConfigError(fmt::format("gather: the root sends {} bytes but expects {} of itself", bytes, own));
  }
}

// Its stamp has to be that of the call under way.
void PointToPointCommunicator::receive_stamp(int peer, std::string_view operation) {
  receive(&received_, sizeof received_, peer);
  complete(operation);
  if (received_ != stamp_) fail_diverged(peer, received_, stamp_);
}

void PointToPointCommunicator::exchange_stamps(int to, int from, std::string_view operation) {
  send_stamp(to);
  receive_stamp(from, operation);
}

void PointToPointCommunicator::broadcast(void* data, std::size_t bytes, int root) {
  check_root(root, "broadcast");
  call(CallKind::broadcast, bytes, static_cast<std::uint64_t>(root), [&] {
    const int position = (rank() - root + size()) % size();
    const auto actual = [&](int p) { return (p + root) % size(); };
    if (position > 0) receive_stamp(actual(binomial_parent(position)), "broadcast");
    for_each_binomial_child(position, size(), [&](int child) { send_stamp(actual(child)); });
    for_each_piece(bytes, [&](std::size_t offset, std::size_t length) {
      std::byte* piece = static_cast<std::byte*>(data) + offset;
      if (position > 0) {
        receive(piece, length, actual(binomial_parent(position)));
        complete("broadcast");
      }
      for_each_binomial_child(position, size(), [&](int child) { send(piece, length, actual(child)); });
      complete("broadcast");
    });
    complete("broadcast");
  });
}

void PointToPointCommunicator::allgather(const void* send_data, void* receive_data, std::size_t bytes) {
  call(CallKind::allgather, bytes, 0, [&] { allgather_rounds(send_data, receive_data, bytes, "allgather"); });
}

// Around a ring: in each round a rank passes on what it received in the round before.
void PointToPointCommunicator::allgather_rounds(const void* send_data, void* receive_data, std::size_t bytes,
                                                std::string_view operation) {
  const int ranks = size();
  const auto place = [&](int r) { return static_cast<std::byte*>(receive_data) + static_cast<std::size_t>(r) * bytes; };
  if (bytes > 0) std::memmove(place(rank()), send_data, bytes);
  if (ranks > 1) exchange_stamps((rank() + 1) % ranks, (rank() - 1 + ranks) % ranks, operation);
  for (int round = 1; round < ranks; ++round) {
    const std::byte* passed_on = place((rank() - round + 1 + ranks) % ranks);
    std::byte* received = place((rank() - round + ranks) % ranks);
    for_each_piece(bytes, [&](std::size_t offset, std::size_t length) {
      receive(received + offset, length, (rank() - 1 + ranks) % ranks);
      send(passed_on + offset, length, (rank() + 1) % ranks);
      complete(operation);
    });
  }
}

void PointToPointCommunicator::gather(const void* send_data, std::size_t bytes, std::span<void* const> receive_data,
                                      std::span<const std::size_t> receive_bytes, int root) {
  check_root(root, "gather");
  if (rank() == root) check_gather(bytes, receive_data.size(), receive_bytes);
  call(CallKind::gather, 0, static_cast<std::uint64_t>(root), [&] {
    if (rank() != root) {
      send_stamp(root);
      complete("gather");
      for_each_piece(bytes, [&](std::size_t offset, std::size_t length) {
        send(static_cast<const std::byte*>(send_data) + offset, length, root);
        complete("gather");
      });
      return;
    }
    const auto own = static_cast<std::size_t>(root);
    if (bytes > 0) std::memmove(receive_data[own], send_data, bytes);
    for (std::size_t r = 0; r < receive_data.size(); ++r) {
      if (r != own) receive_stamp(static_cast<int>(r), "gather");
    }
    // A piece of every rank at a time, so that none waits for all of the others'.
    const std::size_t most = *std::max_element(receive_bytes.begin(), receive_bytes.end());
    for_each_piece(most, [&](std::size_t offset, std::size_t length) {
      for (std::size_t r = 0; r < receive_data.size(); ++r) {
        if (r == own || receive_bytes[r] <= offset) continue;
        receive(static_cast<std::byte*>(receive_data[r]) + offset, std::min(length, receive_bytes[r] - offset),
                static_cast<int>(r));
        complete("gather");
      }
    });
  });
}

// The dissemination barrier of Hensgen, Finkel and Manber, "Two algorithms for barrier synchronization", International
// Journal of Parallel Programming 17 (1988): after round k a rank has heard, directly or not, of 2^(k+1) - 1 others.
void PointToPointCommunicator::barrier() {
  call(CallKind::barrier, 0, 0, [&] {
    for (int distance = 1; distance < size(); distance *= 2) {
      exchange_stamps((rank() + distance) % size(), (rank() - distance + size()) % size(), "barrier");
    }
  });
}

std::unique_ptr<Communicator> PointToPointCommunicator::split(int color, int key) {
  if (color < 0) throw ConfigError(fmt::format("split: expected a color of at least 0, received {}", color));
  struct Choice {
    int color, key;
  };
  const Choice own{color, key};
  std::vector<Choice> choices(static_cast<std::size_t>(size()));
  std::unique_ptr<PointToPointCommunicator> part;
  const auto group = recorder_.next_part(color);
  call(CallKind::split, 0, 0, [&] {
    allgather_rounds(&own, choices.data(), sizeof own, "split");
    std::vector<int> ranks;
    for (int r = 0; r < size(); ++r) {
      if (choices[static_cast<std::size_t>(r)].color == color) ranks.push_back(r);
    }
    std::stable_sort(ranks.begin(), ranks.end(), [&](int a, int b) {
      return choices[static_cast<std::size_t>(a)].key < choices[static_cast<std::size_t>(b)].key;
    });
    part = std::make_unique<PointToPointCommunicator>(transport_->split(color, ranks), group ? &*group : nullptr);
    part->set_deadlines(deadlines_);
  });
  return part;
}

}  // namespace strata
