// SPDX-License-Identifier: Apache-2.0
#include "core/training/shard_writers.h"

#include <algorithm>
#include <cstring>

#include "core/training/provenance.h"
#include "core/training/rank_texts.h"

namespace strata {
namespace {

/// For each rank the first of its host.
std::vector<int> first_ranks(Communicator& communicator) {
  const std::vector<std::string> all = allgather_texts(communicator, host_name());
  std::vector<int> first;
  for (const std::string& name : all) {
    first.push_back(static_cast<int>(std::find(all.begin(), all.end(), name) - all.begin()));
  }
  return first;
}

/// Which elements of which tensor come next in a message.
struct PartHead {
  std::int64_t tensor, first, count;
};

std::size_t bytes_of(const std::vector<StateTensor>& tensors, std::size_t tensor, Dim count) {
  return static_cast<std::size_t>(count) * size_of(tensors[tensor].spec.dtype);
}

/// The number of parts, their heads, their elements.
std::vector<std::byte> message_of(const std::vector<StateTensor>& tensors, const std::vector<StatePart>& parts) {
  const std::size_t heads = sizeof(std::int64_t) + parts.size() * sizeof(PartHead);
  std::size_t bytes = heads;
  for (const StatePart& part : parts) bytes += bytes_of(tensors, part.tensor, part.count);
  std::vector<std::byte> message(bytes);
  const auto count = static_cast<std::int64_t>(parts.size());
  std::memcpy(message.data(), &count, sizeof(count));
  std::byte* head = message.data() + sizeof(count);
  std::byte* elements = message.data() + heads;
  for (const StatePart& part : parts) {
    const PartHead said{static_cast<std::int64_t>(part.tensor), part.first, part.count};
    std::memcpy(head, &said, sizeof(said));
    head += sizeof(said);
    const std::size_t size = bytes_of(tensors, part.tensor, part.count);
    Device& device = part.source.storage->device();
    const auto stream = device.make_stream();
    device.copy_to_host(elements, part.source.data(), size, *stream);
    stream->synchronize();
    elements += size;
  }
  return message;
}

/// The parts of such a message, which stay where they are.
void add_parts(const std::vector<StateTensor>& tensors, const std::shared_ptr<Storage>& message,
               std::vector<StatePart>& parts) {
  std::int64_t count = 0;
  std::memcpy(&count, message->data(), sizeof(count));
  std::size_t offset = sizeof(count) + static_cast<std::size_t>(count) * sizeof(PartHead);
  for (std::int64_t i = 0; i < count; ++i) {
    PartHead head{};
    std::memcpy(&head, message->data() + sizeof(count) + static_cast<std::size_t>(i) * sizeof(head), sizeof(head));
    const auto tensor = static_cast<std::size_t>(head.tensor);
    parts.push_back({tensor, head.first, head.count, {message, offset}});
    offset += bytes_of(tensors, tensor, head.count);
  }
}

}  // namespace

ShardWriters::ShardWriters(Communicator& communicator, int most) {
  place_ = {communicator.rank(), communicator.size(), true};
  if (communicator.size() <= most) return;
  const std::vector<int> first = first_ranks(communicator);
  const int own = first[static_cast<std::size_t>(communicator.rank())];
  const auto is_first = [&](int rank) { return first[static_cast<std::size_t>(rank)] == rank; };
  place_ = {0, 0, is_first(communicator.rank())};
  for (int rank = 0; rank < communicator.size(); ++rank) {
    if (rank < own && is_first(rank)) ++place_.number;
    if (is_first(rank)) ++place_.count;
  }
  host_ = communicator.split(own, communicator.rank());
}

std::vector<StatePart> ShardWriters::gather(const std::vector<StateTensor>& tensors, std::vector<StatePart> own) const {
  if (host_ == nullptr) return own;
  const std::vector<std::byte> message = place_.writes ? std::vector<std::byte>() : message_of(tensors, own);
  const auto ranks = static_cast<std::size_t>(host_->size());
  const std::size_t size = message.size();
  std::vector<std::size_t> sizes(ranks);
  host_->allgather(&size, sizes.data(), sizeof(size));
  std::vector<std::shared_ptr<Storage>> received(ranks);
  std::vector<void*> places(ranks, nullptr);
  for (std::size_t r = 0; r < ranks && place_.writes; ++r) {
    if (sizes[r] == 0) continue;
    received[r] = std::make_shared<Storage>(cpu_device(), sizes[r]);
    places[r] = received[r]->data();
  }
  host_->gather(message.data(), size, places, sizes, 0);
  if (!place_.writes) return {};
  for (const auto& storage : received) {
    if (storage) add_parts(tensors, storage, own);
  }
  return own;
}

}  // namespace strata
