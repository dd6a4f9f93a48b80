// SPDX-License-Identifier: Apache-2.0
// The host as a device: every operation completes before it returns.
#include <sys/mman.h>

#include <cstring>
#include <new>

#include "core/tensor/device.h"

namespace strata {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

/// Of a cache line, or for large memory of a huge page.
constexpr std::align_val_t alignment(std::size_t bytes) {
  return std::align_val_t{bytes >= kHugePage ? kHugePage : 64};
}

class CpuStream final : public Stream {
 public:
  void synchronize() override {}
};

class CpuEvent final : public Event {
 public:
  void record(Stream&) override {}
  void block(Stream&) override {}
  bool query() const override { return true; }
  void synchronize() override {}
};

class CpuDevice final : public Device {
 public:
  std::string_view name() const override { return "cpu"; }
  std::string_view kernels() const override { return "cpu"; }
  bool host_accessible() const override { return true; }

  void* allocate(std::size_t bytes) override {
    void* data = ::operator new(bytes, alignment(bytes));
    // Rows gathered at random are spread over many pages: finding small ones takes a tenth of the time of reading.
    if (bytes >= kHugePage) madvise(data, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
    return data;
  }
  void deallocate(void* data, std::size_t bytes) noexcept override { ::operator delete(data, alignment(bytes)); }

  void copy_from_host(void* device, const void* host, std::size_t bytes, Stream& stream) override {
    copy(device, host, bytes, stream);
  }
  void copy_to_host(void* host, const void* device, std::size_t bytes, Stream& stream) override {
    copy(host, device, bytes, stream);
  }
  void copy(void* to, const void* from, std::size_t bytes, Stream&) override {
    if (bytes > 0) std::memmove(to, from, bytes);
  }
  void zero(void* data, std::size_t bytes, Stream&) override {
    if (bytes > 0) std::memset(data, 0, bytes);
  }
  void launch(Stream&, const Launch& kernel) override { kernel(); }

  std::unique_ptr<Stream> make_stream() override { return std::make_unique<CpuStream>(); }
  std::unique_ptr<Event> make_event() override { return std::make_unique<CpuEvent>(); }
};

}  // namespace

Device& cpu_device() {
  static CpuDevice device;
  return device;
}

}  // namespace strata
