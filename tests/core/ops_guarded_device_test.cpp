// SPDX-License-Identifier: Apache-2.0
// The test device itself: a guard that lets everything through would make every test that relies on it pass.
#include <gtest/gtest.h>

#include <thread>

#include "core/ops/ops.h"
#include "tests/support/guarded_device.h"

namespace strata {
namespace {

using testing::GuardedDevice;

TEST(GuardedDeviceDeathTest, MemoryIsInaccessibleOutsideOfKernels) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  GuardedDevice device;
  auto* data = static_cast<volatile unsigned char*>(device.allocate(16));
  const auto stream = device.make_stream();
  unsigned char seen = 0;
  device.launch(*stream, [&] { seen = data[3]; });
  EXPECT_EQ(seen, 0xFF);
  EXPECT_DEATH(data[3] = 1, "");
  EXPECT_DEATH(seen = data[3], "");
  device.deallocate(const_cast<unsigned char*>(data), 16);
  EXPECT_EQ(device.allocated(), 0u);
}

TEST(GuardedDevice, StaysOpenUntilTheLastThreadHasLeft) {
  GuardedDevice device;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&device, t] {
      const DeviceScope scope(device);
      for (int i = 0; i < 100; ++i) {
        const Tensor x = ops::full({100}, t + i);
        ASSERT_EQ(ops::sum(x * 2.0).item<float>(), 200.0f * static_cast<float>(t + i));
      }
    });
  }
  threads.clear();
  EXPECT_EQ(device.allocated(), 0u);
}

TEST(GuardedDevice, ReusesWhatWasFreed) {
  GuardedDevice device(0, 4096);
  for (int i = 0; i < 100; ++i) {
    void* a = device.allocate(1000);
    void* b = device.allocate(2000);
    EXPECT_THROW(device.allocate(2000), std::bad_alloc);
    device.deallocate(a, 1000);
    device.deallocate(b, 2000);
  }
  void* whole = device.allocate(4096);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(whole) % 64, 0u);
  device.deallocate(whole, 4096);
}

}  // namespace
}  // namespace strata
