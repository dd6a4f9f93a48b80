// SPDX-License-Identifier: Apache-2.0
// Sums over blocks: which ranks see each other's partials, and what carries the sum out.
#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/base/verbose.h"
#include "distributed/block_sum.h"
#include "distributed/point_to_point.h"
#include "distributed/point_to_point_call.h"
#include "distributed/prepared_sum.h"
#include "distributed/row_sum.h"

namespace strata {
namespace {

// Tag 0 is that of the collectives, the last one that of notes.
constexpr int kSumTags = (Transport::kTags - 2) / SumRun::kTags;

/// Where a rank's partials are in memory of its host: one after the other.
struct Offer {
  std::uint64_t allocation = 0;  // 0: elsewhere
  std::uint64_t offset = 0;
  std::uint64_t stride = 0;
};

Offer offer_of(const SharedStorage* storage, std::span<void* const> partials) {
  if (storage == nullptr) return {};
  const auto at = [&](std::size_t i) { return static_cast<const std::byte*>(partials[i]); };
  const std::ptrdiff_t stride = partials.size() > 1 ? at(1) - at(0) : 0;
  for (std::size_t i = 1; i < partials.size(); ++i) {
    if (!storage->holds(partials[i]) || at(i) - at(i - 1) != stride || stride < 0) return {};
  }
  return {storage->number(), static_cast<std::uint64_t>(at(0) - storage->data()), static_cast<std::uint64_t>(stride)};
}

std::uint64_t hash_of(std::initializer_list<std::uint64_t> numbers) {
  return XXH3_64bits(numbers.begin(), numbers.size() * sizeof(std::uint64_t));
}

std::uint64_t hash_of(const Shares& shares) {
  return XXH3_64bits(shares.cuts.data(), shares.cuts.size() * sizeof(shares.cuts[0]));
}

/// "block sum 3 (the gradients of dense_kernel)".
std::string name_of(CallKind kind, int number, const std::string& what) {
  return fmt::format("{} {}{}", to_string(kind), number, what.empty() ? "" : " (" + what + ")");
}

bool is_host_memory(const Device& device) { return device.host_accessible() && device.kernels() == "cpu"; }

}  // namespace

std::shared_ptr<Storage> PointToPointCommunicator::allocate(Device& device, std::size_t bytes) {
  if (is_host_memory(device)) {
    std::shared_ptr<Storage> shared;
    call(CallKind::prepare, 0, 0, [&] { shared = memory_.allocate(bytes); });
    if (shared) return shared;
  }
  auto storage = std::make_shared<Storage>(device, bytes);
  const auto stream = device.make_stream();
  device.zero(storage->data(), bytes, *stream);
  stream->synchronize();
  return storage;
}

// Ranks prepare the same sums in the same order. So do small ones spread over the ranks where they come together.
PointToPointCommunicator::SumPlace PointToPointCommunicator::next_sum() {
  const SumPlace place{sums_, 1 + sums_ % kSumTags * SumRun::kTags, sums_};
  ++sums_;
  return place;
}

std::unique_ptr<PreparedCollective> PointToPointCommunicator::prepare_block_sum(Device& device,
                                                                                const BlockSumSpec& spec) {
  check_block_sum(spec, size(), rank());
  const SumPlace place = next_sum();
  const std::uint64_t bytes = static_cast<std::uint64_t>(spec.count) * size_of(spec.dtype);
  const std::uint64_t detail =
      hash_of({static_cast<std::uint64_t>(place.number), static_cast<std::uint64_t>(spec.dtype),
               static_cast<std::uint64_t>(spec.blocks), hash_of(spec.shares)});
  const bool scattered = !spec.shares.empty();
  std::unique_ptr<SumRun> run;
  call(CallKind::prepare, bytes, detail,
       [&] { run = make_block_sum(device, spec, place, scattered ? SumPart::up : SumPart::all); });
  const CallKind kind = scattered ? CallKind::reduce_scatter : CallKind::block_sum;
  return std::make_unique<PreparedSum>(*this, name_of(kind, place.number, spec.name), SumKey{kind, bytes, detail},
                                       std::move(run));
}

// The way down of a sum of bytes, one block a rank.
std::unique_ptr<PreparedCollective> PointToPointCommunicator::prepare_allgather(Device& device,
                                                                                const AllgatherSpec& spec) {
  check_allgather(spec, size());
  const SumPlace place = next_sum();
  void* const data[] = {spec.data};
  BlockSumSpec down{Dtype::uint8, 0, size(), data};
  down.shares = spec.shares.scaled(static_cast<Dim>(spec.element_bytes));
  down.count = down.shares.elements();
  const auto bytes = static_cast<std::uint64_t>(down.count);
  const std::uint64_t detail = hash_of({static_cast<std::uint64_t>(place.number), hash_of(down.shares)});
  std::unique_ptr<SumRun> run;
  call(CallKind::prepare, bytes, detail, [&] { run = make_block_sum(device, down, place, SumPart::down); });
  return std::make_unique<PreparedSum>(*this, name_of(CallKind::allgather, place.number, spec.name),
                                       SumKey{CallKind::allgather, bytes, detail}, std::move(run));
}

std::unique_ptr<PreparedCollective> PointToPointCommunicator::prepare_row_sum(Device& device, const RowSumSpec& spec) {
  check_row_sum(spec, size(), rank());
  const SumPlace place = next_sum();
  const std::uint64_t detail =
      hash_of({static_cast<std::uint64_t>(place.number), static_cast<std::uint64_t>(spec.layout.dtype),
               static_cast<std::uint64_t>(spec.blocks)});
  return std::make_unique<PreparedSum>(
      *this, name_of(CallKind::row_sum, place.number, spec.name),
      SumKey{CallKind::row_sum, spec.layout.bytes(), detail},
      std::make_unique<RowSumRun>(*transport_, device, spec, place.tag, place.root % size()));
}

// Every rank comes to the same choice.
std::unique_ptr<SumRun> PointToPointCommunicator::make_block_sum(Device& device, const BlockSumSpec& spec,
                                                                 const SumPlace& place, SumPart part) {
  SumGroups groups = is_host_memory(device) ? group_hosts(spec) : group_alone(spec);
  // Where a compressed sum comes together decides where it is rounded: that is not to depend on what was prepared
  // before.
  const std::uint64_t number =
      spec.compress ? XXH3_64bits(spec.name.data(), spec.name.size()) : static_cast<std::uint64_t>(place.root);
  const int root = static_cast<int>(number % static_cast<std::uint64_t>(groups.groups()));
  return std::make_unique<BlockSumRun>(*transport_, device, spec, std::move(groups), place.tag, root, part);
}

SumGroups PointToPointCommunicator::group_alone(const BlockSumSpec& spec) const {
  SumGroups groups;
  for (int r = 0; r <= size(); ++r) groups.bounds.push_back(r);
  groups.own = rank();
  groups.partials.assign(spec.partials.begin(), spec.partials.end());
  return groups;
}

/// Ranks of one host together, when all partials of all ranks are in memory that their hosts share.
SumGroups PointToPointCommunicator::group_hosts(const BlockSumSpec& spec) {
  const auto storage = memory_.find(spec.partials[0]);
  const Offer own = offer_of(storage.get(), spec.partials);
  std::vector<Offer> offers(static_cast<std::size_t>(size()));
  allgather_rounds(&own, offers.data(), sizeof own, "prepare");
  const bool shared = own.allocation != 0 && std::all_of(offers.begin(), offers.end(), [&](const Offer& offer) {
                        return offer.allocation == own.allocation;
                      });
  const HostMemory::Place ports = shared ? memory_.take(sizeof(SumPort)) : HostMemory::Place{};
  if (!ports.memory) return group_alone(spec);
  SumGroups groups;
  groups.bounds = transport_->hosts();
  while (groups.first(groups.own + 1) <= rank()) ++groups.own;
  const int first = groups.first(groups.own);
  groups.place = rank() - first;
  groups.memory = storage;
  for (int r = first; r < groups.first(groups.own + 1); ++r) {
    const Offer& offer = offers[static_cast<std::size_t>(r)];
    std::byte* at = storage->part(static_cast<std::size_t>(r - first)) + offer.offset;
    for (Dim b = 0; b < rank_blocks(spec.blocks, size(), r).size(); ++b) {
      groups.partials.push_back(at + static_cast<std::size_t>(b) * offer.stride);
    }
  }
  if (groups.own_size() > 1) add_ports(groups, ports);
  return groups;
}

/// The memory is zero, which is a port's beginning.
void PointToPointCommunicator::add_ports(SumGroups& groups, const HostMemory::Place& place) const {
  groups.port_memory = place.memory;
  for (int r = 0; r < groups.own_size(); ++r) {
    groups.ports.push_back(reinterpret_cast<SumPort*>(place.memory->part(static_cast<std::size_t>(r)) + place.offset));
  }
}

}  // namespace strata
