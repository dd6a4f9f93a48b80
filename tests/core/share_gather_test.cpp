// SPDX-License-Identifier: Apache-2.0
// What ranks hold in shares of any sizes comes to all of them, in as many messages as it takes.
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

#include "core/training/share_gather.h"
#include "tests/support/guarded_device.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

constexpr Dim kElements = 700'000;  // int32: shares longer than a message

std::int32_t value(Dim element) { return static_cast<std::int32_t>(element * 37 % 10'007); }

/// Memory in which a rank has the values of [first, last) only, and -1 elsewhere.
std::vector<std::int32_t> memory_of(Dim first, Dim last) {
  std::vector<std::int32_t> memory(kElements, -1);
  for (Dim i = first; i < last; ++i) memory[static_cast<std::size_t>(i)] = value(i);
  return memory;
}

/// What a rank has in the end.
std::vector<std::int32_t> gathered(Communicator& communicator, Device& device, const std::vector<Dim>& cuts) {
  const auto rank = static_cast<std::size_t>(communicator.rank());
  std::vector<std::int32_t> host = memory_of(cuts[rank], cuts[rank + 1]);
  const std::size_t bytes = host.size() * sizeof(host[0]);
  const Storage storage(device, bytes);
  const auto stream = device.make_stream();
  device.copy_from_host(storage.data(), host.data(), bytes, *stream);
  ShareGather gather(communicator, device);
  gather.add_shares(storage.data(), sizeof(host[0]), {communicator.size(), cuts});
  for (int again = 0; again < 2; ++again) gather.run(*stream);
  device.copy_to_host(host.data(), storage.data(), bytes, *stream);
  stream->synchronize();
  return host;
}

/// Equal ones, very unequal ones, none.
std::vector<std::vector<Dim>> cuts_of(int ranks) {
  std::vector<std::vector<Dim>> all(3, {0});
  for (Dim r = 1; r < ranks; ++r) {
    all[0].push_back(even_part(kElements, ranks, r).first);
    all[1].push_back(r);
    all[2].push_back(kElements);
  }
  for (auto& cuts : all) cuts.push_back(kElements);
  return all;
}

TEST(ShareGather, GivesEveryRankEverything) {
  const std::vector<std::int32_t> expected = memory_of(0, kElements);
  for (const int ranks : {2, 3, 5}) {
    for (const auto& cuts : cuts_of(ranks)) {
      testing::run_ranks(ranks, [&](Communicator& communicator) {
        EXPECT_TRUE(gathered(communicator, cpu_device(), cuts) == expected);
      });
    }
  }
}

TEST(ShareGather, PartsMayLieAnywhereAndChange) {
  testing::run_ranks(2, [&](Communicator& communicator) {
    std::vector<std::int32_t> memory(9, communicator.rank() + 1);
    const auto stream = cpu_device().make_stream();
    ShareGather gather(communicator, cpu_device());
    const auto add = [&](int owner, std::size_t element) {
      gather.add(owner, reinterpret_cast<std::byte*>(&memory[element]), sizeof(memory[0]));
    };
    for (const std::size_t element : {7U, 2U, 3U}) add(0, element);
    add(1, 5);
    gather.run(*stream);
    gather.clear();
    add(1, 0);
    gather.run(*stream);
    const std::int32_t own = communicator.rank() + 1;
    EXPECT_EQ(memory, (std::vector<std::int32_t>{2, own, 1, 1, own, 2, own, 1, own}));
  });
}

TEST(ShareGather, WorksOnADeviceWhoseMemoryTheHostCannotTouch) {
  const std::vector<std::int32_t> expected = memory_of(0, kElements);
  testing::run_ranks(2, [&](Communicator& communicator) {
    testing::GuardedDevice device;
    EXPECT_TRUE(gathered(communicator, device, cuts_of(2)[0]) == expected);
  });
}

}  // namespace
}  // namespace strata
