// SPDX-License-Identifier: Apache-2.0
// Block sums on a device whose memory the host cannot touch and whose streams lag behind; and without allocations.
#include <gtest/gtest.h>

#include <memory>
#include <string_view>

#include "tests/support/allocation_counter.h"
#include "tests/support/communicator_cases.h"
#include "tests/support/guarded_device.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

using testing::run_ranks;

// Done only when it has been asked a few times.
class LateEvent final : public Event {
 public:
  void record(Stream&) override { asked_ = 0; }
  void block(Stream&) override {}
  bool query() const override { return ++asked_ > 3; }
  void synchronize() override { asked_ = 4; }

 private:
  mutable int asked_ = 0;
};

// Memory that the host cannot touch, and streams that lag behind.
class LateDevice final : public Device {
 public:
  std::string_view name() const override { return "late"; }
  std::string_view kernels() const override { return memory_.kernels(); }
  bool host_accessible() const override { return false; }
  void* allocate(std::size_t bytes) override { return memory_.allocate(bytes); }
  void deallocate(void* data, std::size_t bytes) noexcept override { memory_.deallocate(data, bytes); }
  void copy_from_host(void* device, const void* host, std::size_t bytes, Stream& stream) override {
    memory_.copy_from_host(device, host, bytes, stream);
  }
  void copy_to_host(void* host, const void* device, std::size_t bytes, Stream& stream) override {
    memory_.copy_to_host(host, device, bytes, stream);
  }
  void copy(void* to, const void* from, std::size_t bytes, Stream& stream) override {
    memory_.copy(to, from, bytes, stream);
  }
  void zero(void* data, std::size_t bytes, Stream& stream) override { memory_.zero(data, bytes, stream); }
  void launch(Stream& stream, const Launch& kernel) override { memory_.launch(stream, kernel); }
  std::unique_ptr<Stream> make_stream() override { return memory_.make_stream(); }
  std::unique_ptr<Event> make_event() override { return std::make_unique<LateEvent>(); }

 private:
  testing::GuardedDevice memory_;
};

template <class T>
void sum_on_late_device(Communicator& c, Dim blocks, Dim count) {
  LateDevice device;
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
      sum_on_late_device<float>(c, 7, 400'000);
      sum_on_late_device<double>(c, 5, 3);
    });
  }
  sum_on_late_device<float>(*make_single_communicator(), 7, 400'000);
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
