// SPDX-License-Identifier: Apache-2.0
// Cases of every communicator: reduce-scatter (a sum of which each rank needs its shares alone) and allgather in place.
#include <algorithm>
#include <cstring>

#include "tests/support/communicator_cases.h"

namespace strata::testing {
namespace {

/// Equal shares; uneven ones, some empty; several rounds of either; all of one rank.
std::vector<Shares> shares_of(int ranks, Dim count) {
  const auto rounds = [&](const std::vector<Dim>& ends, bool even) {
    Shares shares{ranks, {0}};
    for (const Dim end : ends) {
      const Dim begin = shares.cuts.back();
      for (int r = 1; r < ranks; ++r) {
        const Dim cut = even ? begin + even_part(end - begin, ranks, r).first : std::min(end, begin + r * r);
        shares.cuts.push_back(cut);
      }
      shares.cuts.push_back(end);
    }
    return shares;
  };
  std::vector<Shares> all{rounds({count}, true), rounds({count}, false), rounds({count / 3, count / 2, count}, true),
                          rounds({count / 7, count / 7, count}, false)};
  for (const int owner : {0, ranks - 1}) {
    Shares one{ranks, {0}};
    for (int r = 0; r < ranks; ++r) one.cuts.push_back(r < owner ? 0 : count);
    all.push_back(one);
  }
  return all;
}

std::string describe(const Shares& shares) {
  std::string text = "cuts";
  for (const Dim cut : shares.cuts) text += " " + std::to_string(cut);
  return text;
}

template <class T>
void scatter(Communicator& c, Dim blocks, Dim count) {
  std::vector<std::vector<T>> values;
  for (Dim block = 0; block < blocks; ++block) values.push_back(block_values<T>(block, count));
  const std::vector<T> expected = canonical_sum(std::move(values));
  Partials<T> partials(c, cpu_device(), blocks, count);
  for (const Shares& shares : shares_of(c.size(), count)) {
    BlockSumSpec spec = partials.spec();
    spec.shares = shares;
    const auto sum = c.prepare_block_sum(cpu_device(), spec);
    for (int step = 0; step < 2; ++step) {
      partials.fill();
      sum->start();
      sum->wait();
      const auto* own = static_cast<const T*>(partials.pointers[0]);
      for (const IndexRange range : shares.of(c.rank())) {
        require(std::memcmp(own + range.first, expected.data() + range.first,
                            static_cast<std::size_t>(range.size()) * sizeof(T)) == 0,
                std::to_string(blocks) + " blocks of " + std::to_string(count) + ", " + describe(shares) +
                    ": a share differs from the canonical sum");
      }
    }
  }
}

std::vector<int> values_of(Dim count, int step) {
  std::vector<int> values;
  for (Dim i = 0; i < count; ++i) values.push_back(static_cast<int>(i * 48'271 % 65'537) + step);
  return values;
}

void gather_in_place(Communicator& c, Dim count, bool shared) {
  const auto bytes = static_cast<std::size_t>(count) * sizeof(int);
  const auto storage = shared ? c.allocate(cpu_device(), bytes) : std::make_shared<Storage>(cpu_device(), bytes);
  auto* data = reinterpret_cast<int*>(storage->data());
  const std::vector<int> values[] = {values_of(count, 0), values_of(count, 1)};
  for (const Shares& shares : shares_of(c.size(), count)) {
    const auto gather = c.prepare_allgather(cpu_device(), {data, sizeof(int), shares, "numbers"});
    for (const std::vector<int>& expected : values) {
      std::fill(data, data + count, -1);
      for (const IndexRange own : shares.of(c.rank())) {
        std::copy(expected.begin() + own.first, expected.begin() + own.last, data + own.first);
      }
      gather->start();
      gather->wait();
      const auto other = std::mismatch(data, data + count, expected.begin()).first - data;
      require(other == count, std::to_string(count) + " elements, " + describe(shares) + ": element " +
                                  std::to_string(other) + " has not come");
    }
  }
}

}  // namespace

void reduce_scatter_case(Communicator& c) {
  for (const Dim blocks : {Dim{c.size()}, Dim{2 * c.size()}, Dim{c.size() + 3}}) {
    for (const Dim count : {0, 5, 1000, 100'000}) scatter<float>(c, blocks, count);
  }
  scatter<double>(c, c.size() + 1, 30'000);
}

void allgather_in_place_case(Communicator& c) {
  for (const Dim count : {0, 3, 1000, 150'000}) {
    gather_in_place(c, count, true);
    gather_in_place(c, count, false);
  }
}

}  // namespace strata::testing
