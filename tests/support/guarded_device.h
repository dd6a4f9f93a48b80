// SPDX-License-Identifier: Apache-2.0
// A device for tests whose memory the host cannot touch: its pages are inaccessible except during copies and kernels,
// so code that reads or writes tensor bytes by itself crashes. It runs the CPU's kernels.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>

#include "core/tensor/device.h"

namespace strata::testing {

/// All members are thread-safe. Pages are open while any thread is inside a copy or a kernel of this device.
class GuardedDevice final : public Device {
 public:
  /// New memory is filled with `poison`, so that results which depend on it differ between two poisons.
  explicit GuardedDevice(unsigned char poison = 0xFF, std::size_t capacity = std::size_t{1} << 30);
  ~GuardedDevice() override;
  GuardedDevice(const GuardedDevice&) = delete;
  GuardedDevice& operator=(const GuardedDevice&) = delete;

  std::string_view name() const override { return "guarded"; }
  std::string_view kernels() const override { return "cpu"; }
  bool host_accessible() const override { return false; }

  void* allocate(std::size_t bytes) override;
  void deallocate(void* data, std::size_t bytes) noexcept override;
  void copy_from_host(void* device, const void* host, std::size_t bytes, Stream& stream) override;
  void copy_to_host(void* host, const void* device, std::size_t bytes, Stream& stream) override;
  void copy(void* to, const void* from, std::size_t bytes, Stream& stream) override;
  void zero(void* data, std::size_t bytes, Stream& stream) override;
  void launch(Stream& stream, const Launch& kernel) override;
  std::unique_ptr<Stream> make_stream() override;
  std::unique_ptr<Event> make_event() override;

  /// Bytes that are allocated now.
  std::size_t allocated() const;

 private:
  class Open;

  const unsigned char poison_;
  const std::size_t capacity_;
  std::byte* const memory_;
  mutable std::mutex mutex_;
  int open_scopes_ = 0;
  std::size_t allocated_ = 0;
  std::map<std::size_t, std::size_t> free_;  // offset -> bytes
};

}  // namespace strata::testing
