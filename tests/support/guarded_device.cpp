// SPDX-License-Identifier: Apache-2.0
#include "tests/support/guarded_device.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <system_error>

namespace strata::testing {
namespace {

constexpr std::size_t kGranule = 64;

std::size_t rounded(std::size_t bytes) {
  return std::max<std::size_t>((bytes + kGranule - 1) / kGranule, 1) * kGranule;
}

std::byte* reserve(std::size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return static_cast<std::byte*>(memory);
}

class GuardedStream final : public Stream {
 public:
  void synchronize() override {}
};

class GuardedEvent final : public Event {
 public:
  void record(Stream&) override {}
  void block(Stream&) override {}
  bool query() const override { return true; }
  void synchronize() override {}
};

}  // namespace

/// Makes the memory accessible until the end of the scope, or of the last such scope in any thread.
class GuardedDevice::Open {
 public:
  explicit Open(GuardedDevice& device) : device_(device) {
    const std::lock_guard lock(device_.mutex_);
    if (device_.open_scopes_++ == 0) protect(PROT_READ | PROT_WRITE);
  }
  ~Open() {
    const std::lock_guard lock(device_.mutex_);
    if (--device_.open_scopes_ == 0) mprotect(device_.memory_, device_.capacity_, PROT_NONE);
  }
  Open(const Open&) = delete;
  Open& operator=(const Open&) = delete;

 private:
  void protect(int access) const {
    if (mprotect(device_.memory_, device_.capacity_, access) != 0) {
      throw std::system_error(errno, std::generic_category(), "mprotect");
    }
  }

  GuardedDevice& device_;
};

GuardedDevice::GuardedDevice(unsigned char poison, std::size_t capacity)
    : poison_(poison), capacity_(capacity), memory_(reserve(capacity)), free_{{0, capacity}} {}

GuardedDevice::~GuardedDevice() { munmap(memory_, capacity_); }

void* GuardedDevice::allocate(std::size_t bytes) {
  const std::size_t wanted = rounded(bytes);
  std::byte* data = nullptr;
  {
    const std::lock_guard lock(mutex_);
    const auto hole = std::find_if(free_.begin(), free_.end(), [&](const auto& h) { return h.second >= wanted; });
    if (hole == free_.end()) throw std::bad_alloc();
    const auto [offset, size] = *hole;
    free_.erase(hole);
    if (size > wanted) free_.emplace(offset + wanted, size - wanted);
    allocated_ += wanted;
    data = memory_ + offset;
  }
  const Open open(*this);
  std::memset(data, poison_, wanted);
  return data;
}

void GuardedDevice::deallocate(void* data, std::size_t bytes) noexcept {
  const std::lock_guard lock(mutex_);
  allocated_ -= rounded(bytes);
  auto hole = free_.emplace(static_cast<std::size_t>(static_cast<std::byte*>(data) - memory_), rounded(bytes)).first;
  const auto next = std::next(hole);
  if (next != free_.end() && hole->first + hole->second == next->first) {
    hole->second += next->second;
    free_.erase(next);
  }
  if (hole == free_.begin()) return;
  const auto previous = std::prev(hole);
  if (previous->first + previous->second == hole->first) {
    previous->second += hole->second;
    free_.erase(hole);
  }
}

void GuardedDevice::copy_from_host(void* device, const void* host, std::size_t bytes, Stream& stream) {
  copy(device, host, bytes, stream);
}

void GuardedDevice::copy_to_host(void* host, const void* device, std::size_t bytes, Stream& stream) {
  copy(host, device, bytes, stream);
}

void GuardedDevice::copy(void* to, const void* from, std::size_t bytes, Stream&) {
  const Open open(*this);
  if (bytes > 0) std::memmove(to, from, bytes);
}

void GuardedDevice::zero(void* data, std::size_t bytes, Stream&) {
  const Open open(*this);
  if (bytes > 0) std::memset(data, 0, bytes);
}

void GuardedDevice::launch(Stream&, const Launch& kernel) {
  const Open open(*this);
  kernel();
}

std::unique_ptr<Stream> GuardedDevice::make_stream() { return std::make_unique<GuardedStream>(); }
std::unique_ptr<Event> GuardedDevice::make_event() { return std::make_unique<GuardedEvent>(); }

std::size_t GuardedDevice::allocated() const {
  const std::lock_guard lock(mutex_);
  return allocated_;
}

}  // namespace strata::testing
