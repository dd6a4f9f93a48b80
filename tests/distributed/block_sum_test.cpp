// SPDX-License-Identifier: Apache-2.0
// Block sums on a device whose memory the host cannot touch and whose streams lag behind; and without allocations.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <map>
#include <new>

#include "tests/support/allocation_counter.h"
#include "tests/support/communicator_cases.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

using testing::run_ranks;

class IdleStream final : public Stream {
 public:
  void synchronize() override {}
};

// Done only when it has been asked a few times.
class LateEvent final : public Event {
 public:
  void record(Stream&) override { asked_ = 0; }
  void block(Stream&) override {}
  bool query() const override { return ++asked_ > 3; }

 private:
  mutable int asked_ = 0;
};

// Memory that is readable and writable only inside launches and copies. One a rank: used by one thread.
class SealedDevice final : public Device {
 public:
  std::string_view name() const override { return "sealed"; }
  std::string_view kernels() const override { return "cpu"; }
  bool host_accessible() const override { return false; }

  void* allocate(std::size_t bytes) override {
    void* data = mmap(nullptr, bytes + 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) throw std::bad_alloc();
    regions_[data] = bytes + 1;
    return data;
  }
  void deallocate(void* data, std::size_t bytes) noexcept override {
    munmap(data, bytes + 1);
    regions_.erase(data);
  }
  void copy_from_host(void* device, const void* host, std::size_t bytes, Stream& stream) override {
    copy(device, host, bytes, stream);
  }
  void copy_to_host(void* host, const void* device, std::size_t bytes, Stream& stream) override {
    copy(host, device, bytes, stream);
  }
  void copy(void* to, const void* from, std::size_t bytes, Stream& stream) override {
    launch(stream, [&] { std::memcpy(to, from, bytes); });
  }
  void zero(void* data, std::size_t bytes, Stream& stream) override {
    launch(stream, [&] { std::memset(data, 0, bytes); });
  }
  void launch(Stream&, const Launch& kernel) override {
    protect(PROT_READ | PROT_WRITE);
    kernel();
    protect(PROT_NONE);
  }
  std::unique_ptr<Stream> make_stream() override { return std::make_unique<IdleStream>(); }
  std::unique_ptr<Event> make_event() override { return std::make_unique<LateEvent>(); }

 private:
  void protect(int access) {
    for (const auto& [data, bytes] : regions_) mprotect(data, bytes, access);
  }
  std::map<void*, std::size_t> regions_;
};

template <class T>
void sum_on_sealed_device(Communicator& c, Dim blocks, Dim count) {
  SealedDevice device;
  testing::Partials<T> partials(c, device, blocks, count);
  partials.fill();
  const auto sum = c.prepare_block_sum(device, partials.spec());
  sum->start();
  sum->wait();
  partials.require_sum();
}

TEST(BlockSum, WorksOnMemoryThatTheHostCannotTouch) {
  for (int ranks = 1; ranks <= 5; ++ranks) {
    run_ranks(ranks, [](Communicator& c) {
      sum_on_sealed_device<float>(c, 7, 400'000);
      sum_on_sealed_device<double>(c, 5, 3);
    });
  }
  sum_on_sealed_device<float>(*make_single_communicator(), 7, 400'000);
}

TEST(BlockSum, AllocatesNothingOnceItHasRun) {
  int allocations = -1;
  run_ranks(4, [&](Communicator& c) {
    testing::Partials<float> partials(c, cpu_device(), 9, 400'000);
    const auto sum = c.prepare_block_sum(cpu_device(), partials.spec());
    const auto step = [&] {
      int stop = 0;
      sum->start();
      sum->advance();
      sum->wait();
      c.broadcast(&stop, sizeof stop, 0);
      c.barrier();
    };
    for (int i = 0; i < 20; ++i) step();
    if (c.rank() == 0) testing::start_counting_allocations();
    c.barrier();
    for (int i = 0; i < 20; ++i) step();
    if (c.rank() == 0) allocations = testing::stop_counting_allocations();
    c.barrier();
  });
  EXPECT_EQ(allocations, 0);
}

}  // namespace
}  // namespace strata
