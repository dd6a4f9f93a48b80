// SPDX-License-Identifier: Apache-2.0
// The seam between the engine and the hardware: memory, asynchronous copies, streams, events, kernel launches.
// The engine never reads a tensor's bytes itself; it copies them to the host or runs a kernel on them.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

namespace strata {

/// A non-owning reference to a callable `void()`. The callable must outlive the call it is passed to.
class Launch {
 public:
  template <class F>
  Launch(const F& f)  // NOLINT(google-explicit-constructor): call sites pass lambdas
      : callable_(&f), invoke_([](const void* c) { (*static_cast<const F*>(c))(); }) {}
  void operator()() const { invoke_(callable_); }

 private:
  const void* callable_;
  void (*invoke_)(const void*);
};

/// An ordered queue of work on one device. Work in one stream runs in order; two streams are independent.
class Stream {
 public:
  virtual ~Stream() = default;
  /// Returns once everything enqueued before has finished. Rethrows what failed.
  virtual void synchronize() = 0;
};

/// A point in a stream that another stream or the host can wait for.
class Event {
 public:
  virtual ~Event() = default;
  virtual void record(Stream& stream) = 0;
  /// Makes later work of `stream` wait for this event.
  virtual void block(Stream& stream) = 0;
  /// Whether the work recorded has finished.
  virtual bool query() const = 0;
  /// Waits on the host until it has.
  virtual void synchronize() = 0;
};

/// One device. All members are thread-safe; a Stream belongs to one thread at a time.
class Device {
 public:
  virtual ~Device() = default;

  /// For messages: "cpu", "cuda:0".
  virtual std::string_view name() const = 0;
  /// Which kernels run here: the key of the kernel table, "cpu" or "cuda".
  virtual std::string_view kernels() const = 0;
  /// Whether the host may read and write this device's memory directly.
  virtual bool host_accessible() const = 0;

  /// Uninitialised memory, aligned to 64 bytes. Throws std::bad_alloc.
  virtual void* allocate(std::size_t bytes) = 0;
  virtual void deallocate(void* data, std::size_t bytes) noexcept = 0;

  /// Copies; host memory must stay valid until the stream has reached them.
  virtual void copy_from_host(void* device, const void* host, std::size_t bytes, Stream& stream) = 0;
  virtual void copy_to_host(void* host, const void* device, std::size_t bytes, Stream& stream) = 0;
  virtual void copy(void* to, const void* from, std::size_t bytes, Stream& stream) = 0;
  virtual void zero(void* data, std::size_t bytes, Stream& stream) = 0;

  /// Runs a kernel: on a CPU calls it, on a GPU lets it enqueue its work into `stream`.
  /// Inside, and only there, a kernel may touch this device's memory.
  virtual void launch(Stream& stream, const Launch& kernel) = 0;

  virtual std::unique_ptr<Stream> make_stream() = 0;
  virtual std::unique_ptr<Event> make_event() = 0;
};

/// The host's processor and memory: synchronous, always present.
Device& cpu_device();

/// The CUDA device `index`. Throws ConfigError when Strata was built without CUDA or there is no such device.
Device& cuda_device(int index);
/// 0 when Strata was built without CUDA.
int cuda_device_count();

/// Owned memory of one device. Not copyable; shared through std::shared_ptr.
class Storage {
 public:
  Storage(Device& device, std::size_t bytes) : device_(device), data_(device.allocate(bytes)), bytes_(bytes) {}
  virtual ~Storage() {
    if (data_ != nullptr) device_.deallocate(data_, bytes_);
  }
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  Device& device() const { return device_; }
  std::byte* data() const { return static_cast<std::byte*>(data_); }
  std::size_t bytes() const { return bytes_; }

 protected:
  /// Adopts memory that a subclass frees in its destructor (it calls release() there).
  Storage(Device& device, void* data, std::size_t bytes) : device_(device), data_(data), bytes_(bytes) {}
  void* release() { return std::exchange(data_, nullptr); }

 private:
  Device& device_;
  void* data_;
  std::size_t bytes_;
};

/// Where one tensor's elements are: row-major and contiguous, `offset` bytes into `storage`.
struct Buffer {
  std::shared_ptr<Storage> storage;
  std::size_t offset = 0;

  std::byte* data() const { return storage->data() + offset; }
  explicit operator bool() const { return storage != nullptr; }
};

}  // namespace strata
