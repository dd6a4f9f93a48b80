// SPDX-License-Identifier: Apache-2.0
#include "distributed/host_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "core/base/verbose.h"

namespace strata {
namespace {

constexpr std::size_t kTakenFrom = 64 * 1024;  // bytes that take() allocates at once

/// Whether this rank is willing.
bool wanted() {
  const char* text = std::getenv("STRATA_SHARED_MEMORY");
  return text == nullptr || std::string_view(text) != "0";
}

}  // namespace

HostMemory::HostMemory(const Transport& transport, Exchange exchange)
    : transport_(transport),
      exchange_(std::move(exchange)),
      shares_(static_cast<int>(transport.hosts().size()) - 1 < transport.size()) {
  const auto next = std::upper_bound(transport.hosts().begin(), transport.hosts().end(), transport.rank());
  first_ = *(next - 1);
  last_ = *next;
}

std::shared_ptr<SharedStorage> HostMemory::allocate(std::size_t bytes) {
  if (!shares_) return nullptr;
  std::string error = "STRATA_SHARED_MEMORY is 0";
  const std::shared_ptr<SharedSegment> own = wanted() ? SharedSegment::create(bytes, error) : nullptr;
  const SharedSegment::Handle handle = own ? own->handle() : SharedSegment::Handle{};
  std::vector<SharedSegment::Handle> handles(static_cast<std::size_t>(transport_.size()));
  exchange_(&handle, handles.data(), sizeof handle);
  auto parts = open(handles, error);
  const char seen = parts.empty() ? 0 : 1;
  std::vector<char> all(handles.size());
  exchange_(&seen, all.data(), 1);
  if (own) own->close_file();
  if (std::find(all.begin(), all.end(), 0) != all.end()) {
    give_up(error);
    return nullptr;
  }
  auto storage = std::make_shared<SharedStorage>(cpu_device(), bytes, std::move(parts),
                                                 static_cast<std::size_t>(transport_.rank() - first_), ++allocated_);
  std::erase_if(storages_, [](const auto& known) { return known.expired(); });
  storages_.push_back(storage);
  return storage;
}

/// The segments of this host's ranks; none when one of them cannot be opened.
std::vector<std::shared_ptr<SharedSegment>> HostMemory::open(const std::vector<SharedSegment::Handle>& handles,
                                                             std::string& error) const {
  std::vector<std::shared_ptr<SharedSegment>> parts;
  for (int rank = first_; rank < last_; ++rank) {
    const SharedSegment::Handle& handle = handles[static_cast<std::size_t>(rank)];
    auto part = handle.pid == 0 ? nullptr : SharedSegment::open(handle, error);
    if (!part) return {};
    parts.push_back(std::move(part));
  }
  return parts;
}

void HostMemory::give_up(const std::string& error) {
  shares_ = false;
  if (verbosity() > 0) {
    verbose_line(fmt::format("rank {}: ranks of one host exchange messages instead of sharing memory{}{}",
                             transport_.rank(), error.empty() ? "" : ": ", error));
  }
}

HostMemory::Place HostMemory::take(std::size_t bytes) {
  const std::size_t line = 64, rounded = (bytes + line - 1) / line * line;
  if (!free_.memory || free_.offset + rounded > free_.memory->bytes()) {
    free_ = {allocate(std::max(rounded, kTakenFrom)), 0};
    if (!free_.memory) return {};
  }
  Place taken = free_;
  free_.offset += rounded;
  return taken;
}

std::shared_ptr<SharedStorage> HostMemory::find(const void* data) {
  for (const auto& known : storages_) {
    auto storage = known.lock();
    if (storage && storage->holds(data)) return storage;
  }
  return nullptr;
}

}  // namespace strata
