// SPDX-License-Identifier: Apache-2.0
#include "tests/support/communicator_cases.h"

#include <array>
#include <cmath>
#include <cstring>
#include <numeric>
#include <stdexcept>
#include <thread>

#include "core/base/error.h"
#include "core/base/philox.h"

namespace strata::testing {

void require(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error(what);
}

namespace {

// 2^-40 to 2^40.
const std::array<double, 81>& powers_of_two() {
  static const auto powers = [] {
    std::array<double, 81> p{};
    for (int i = 0; i < 81; ++i) p[static_cast<std::size_t>(i)] = std::ldexp(1.0, i - 40);
    return p;
  }();
  return powers;
}

}  // namespace

template <class T>
std::vector<T> block_values(Dim block, Dim count) {
  std::vector<T> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto words = philox4x32({static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(block), 0, 0}, {7, 11});
    const double magnitude = (1 + unit_double(words[0], words[1])) * powers_of_two()[words[2] % 81];
    values[i] = static_cast<T>(words[3] % 2 == 0 ? magnitude : -magnitude);
  }
  return values;
}

template <class T>
std::vector<T> canonical_sum(std::vector<std::vector<T>> level) {
  while (level.size() > 1) {
    std::vector<std::vector<T>> next;
    for (std::size_t i = 0; i < level.size(); i += 2) {
      next.push_back(level[i]);
      if (i + 1 == level.size()) continue;
      for (std::size_t k = 0; k < next.back().size(); ++k) next.back()[k] += level[i + 1][k];
    }
    level = std::move(next);
  }
  return level.front();
}

template <class T>
Partials<T>::Partials(Communicator& communicator, Device& on, Dim all_blocks, Dim elements)
    : device(on),
      blocks(all_blocks),
      count(elements),
      own(rank_blocks(all_blocks, communicator.size(), communicator.rank())) {
  const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(T);
  memory = communicator.allocate(device, static_cast<std::size_t>(own.size()) * bytes);
  for (Dim i = 0; i < own.size(); ++i) pointers.push_back(memory->data() + static_cast<std::size_t>(i) * bytes);
}

template <class T>
void Partials<T>::fill() {
  const auto stream = device.make_stream();
  for (Dim block = own.first; block < own.last; ++block) {
    const auto values = block_values<T>(block, count);
    device.copy_from_host(pointers[static_cast<std::size_t>(block - own.first)], values.data(),
                          values.size() * sizeof(T), *stream);
    stream->synchronize();
  }
}

template <class T>
void Partials<T>::require_sum() const {
  std::vector<std::vector<T>> all;
  for (Dim block = 0; block < blocks; ++block) all.push_back(block_values<T>(block, count));
  const auto expected = canonical_sum(std::move(all));
  std::vector<T> sum(expected.size());
  const auto stream = device.make_stream();
  device.copy_to_host(sum.data(), pointers[0], sum.size() * sizeof(T), *stream);
  stream->synchronize();
  require(sum.empty() || std::memcmp(sum.data(), expected.data(), sum.size() * sizeof(T)) == 0,
          std::to_string(blocks) + " blocks of " + std::to_string(count) + " " + std::string(to_string(dtype_of<T>())) +
              ": the sum differs from the canonical one");
}

template std::vector<float> block_values(Dim, Dim);
template std::vector<double> block_values(Dim, Dim);
template std::vector<float> canonical_sum(std::vector<std::vector<float>>);
template std::vector<double> canonical_sum(std::vector<std::vector<double>>);
template struct Partials<float>;
template struct Partials<double>;

namespace {

// Lengths around the pieces that messages are cut into.
constexpr std::size_t kLengths[] = {0, 1, 1000, std::size_t{1} << 20, (std::size_t{3} << 20) + 5};

std::vector<unsigned char> bytes_of(int rank, std::size_t length) {
  std::vector<unsigned char> bytes(length);
  for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<unsigned char>((i * 31 + i / 251) + 77u * rank);
  return bytes;
}

void broadcast_case(Communicator& c) {
  for (const std::size_t length : kLengths) {
    for (int root = 0; root < c.size(); ++root) {
      auto data = c.rank() == root ? bytes_of(root, length) : std::vector<unsigned char>(length);
      c.broadcast(data.data(), length, root);
      require(data == bytes_of(root, length), "broadcast of " + std::to_string(length) + " bytes");
    }
  }
}

void allgather_case(Communicator& c) {
  for (const std::size_t length : kLengths) {
    const auto own = bytes_of(c.rank(), length);
    std::vector<unsigned char> all(length * static_cast<std::size_t>(c.size()));
    c.allgather(own.data(), all.data(), length);
    for (int r = 0; r < c.size(); ++r) {
      const auto begin = all.begin() + static_cast<std::ptrdiff_t>(length) * r;
      const auto expected = bytes_of(r, length);
      require(std::equal(expected.begin(), expected.end(), begin), "allgather of " + std::to_string(length) + " bytes");
    }
  }
}

void gather_case(Communicator& c) {
  const auto length_of = [](int rank) { return kLengths[static_cast<std::size_t>(rank) % std::size(kLengths)]; };
  for (int root = 0; root < c.size(); ++root) {
    std::vector<std::vector<unsigned char>> received;
    std::vector<void*> places;
    std::vector<std::size_t> lengths;
    for (int r = 0; r < c.size(); ++r) {
      received.emplace_back(length_of(r));
      places.push_back(received.back().data());
      lengths.push_back(length_of(r));
    }
    const auto own = bytes_of(c.rank(), length_of(c.rank()));
    if (c.rank() != root) {
      c.gather(own.data(), own.size(), {}, {}, root);
      continue;
    }
    c.gather(own.data(), own.size(), places, lengths, root);
    for (int r = 0; r < c.size(); ++r) {
      require(received[static_cast<std::size_t>(r)] == bytes_of(r, length_of(r)), "gather from " + std::to_string(r));
    }
  }
}

// Even and odd ranks, numbered backwards; then both groups work at once.
void split_case(Communicator& c) {
  const int color = c.rank() % 2;
  const auto part = c.split(color, -c.rank());
  const int size = color == 0 ? (c.size() + 1) / 2 : c.size() / 2;
  require(part->size() == size, "size of a part");
  require(part->rank() == size - 1 - c.rank() / 2, "rank in a part");
  require(part->deadlines() == c.deadlines(), "deadline of a part");
  broadcast_case(*part);
  Partials<float> partials(*part, cpu_device(), size + 1, 1000);
  partials.fill();
  const auto sum = part->prepare_block_sum(cpu_device(), partials.spec());
  sum->start();
  sum->wait();
  partials.require_sum();
  // One part alone is split again.
  if (color == 0) {
    const auto half = part->split(part->rank() % 2, 0);
    require(half->size() == (size + 1 - part->rank() % 2) / 2, "size of a part of a part");
    require(half->rank() == part->rank() / 2, "rank in a part of a part");
    broadcast_case(*half);
  }
  c.barrier();
}

template <class T>
void sum_case(Communicator& c, Dim blocks, Dim count) {
  Partials<T> partials(c, cpu_device(), blocks, count);
  const auto sum = c.prepare_block_sum(cpu_device(), partials.spec());
  for (int step = 0; step < 2; ++step) {
    partials.fill();
    sum->start();
    sum->wait();
    require(sum->advance(), "a sum that was waited for is done");
    partials.require_sum();
  }
}

void block_sum_case(Communicator& c) {
  for (Dim blocks = c.size(); blocks <= 13; ++blocks) {
    sum_case<float>(c, blocks, 1000);
    sum_case<double>(c, blocks, 1000);
  }
}

void block_sum_lengths_case(Communicator& c) {
  // 65536 floats are one piece of a message, and four pieces are on their way at once.
  for (const Dim count : {0, 1, 65535, 65536, 65537, 300'000}) sum_case<float>(c, c.size() + 2, count);
  sum_case<double>(c, c.size(), 200'000);
}

// Sums that were started together, advanced in an order that differs from rank to rank.
void interleaved_sums_case(Communicator& c) {
  std::vector<std::unique_ptr<Partials<float>>> partials;
  std::vector<std::unique_ptr<PreparedCollective>> sums;
  for (const Dim count : {100'000, 10, 300'000, 70'000}) {
    partials.push_back(std::make_unique<Partials<float>>(c, cpu_device(), c.size() * 2 + 1, count));
    partials.back()->fill();
    sums.push_back(c.prepare_block_sum(cpu_device(), partials.back()->spec()));
  }
  for (const auto& sum : sums) sum->start();
  const auto first = static_cast<std::size_t>(c.rank()) % sums.size();
  for (int i = 0; i < 3; ++i) sums[first]->advance();
  c.barrier();  // a collective call while they are under way
  for (std::size_t i = 0; i < sums.size(); ++i) sums[(first + i) % sums.size()]->wait();
  for (const auto& p : partials) p->require_sum();
}

// A sum that is never waited for: progress() alone completes it.
void progress_case(Communicator& c) {
  Partials<float> partials(c, cpu_device(), c.size() * 2, 100'000);
  partials.fill();
  const auto sum = c.prepare_block_sum(cpu_device(), partials.spec());
  sum->start();
  while (!sum->advance()) {
    c.progress();
    std::this_thread::yield();
  }
  partials.require_sum();
  c.barrier();
}

template <class E, class F>
void require_throw(const F& f, const std::string& what) {
  try {
    f();
  } catch (const E&) {
    return;
  }
  throw std::runtime_error(what + ": expected an exception");
}

// Wrong arguments are found before a message is sent, so the communicator stays usable.
void arguments_case(Communicator& c) {
  char byte = 0;
  require_throw<ConfigError>([&] { c.broadcast(&byte, 1, c.size()); }, "broadcast from a rank that does not exist");
  require_throw<ConfigError>([&] { c.broadcast(&byte, 1, -1); }, "broadcast from rank -1");
  require_throw<ConfigError>([&] { c.split(-1, 0); }, "split with color -1");
  require_throw<ConfigError>([&] { c.gather(&byte, 1, {}, {}, c.rank()); }, "gather without places");
  void* const places[] = {&byte};
  BlockSumSpec spec{Dtype::float32, 1, c.size(), places};
  spec.blocks = c.size() - 1;
  require_throw<ConfigError>([&] { c.prepare_block_sum(cpu_device(), spec); }, "fewer blocks than ranks");
  spec = {Dtype::float32, 1, c.size() * 2, places};
  require_throw<ConfigError>([&] { c.prepare_block_sum(cpu_device(), spec); }, "too few partials");
  spec = {Dtype::float32, -1, c.size(), places};
  require_throw<ConfigError>([&] { c.prepare_block_sum(cpu_device(), spec); }, "a negative count");
  spec = {Dtype::int32, 1, c.size(), places};
  require_throw<DtypeError>([&] { c.prepare_block_sum(cpu_device(), spec); }, "a sum of integers");
  spec = {Dtype::float32, 1, c.size(), places};
  spec.shares = {c.size() + 1, std::vector<Dim>(static_cast<std::size_t>(c.size()) + 2, 0)};
  require_throw<ConfigError>([&] { c.prepare_block_sum(cpu_device(), spec); }, "shares of other ranks");
  spec.shares = {c.size(), std::vector<Dim>(static_cast<std::size_t>(c.size()) + 1, 0)};
  require_throw<ConfigError>([&] { c.prepare_block_sum(cpu_device(), spec); }, "shares of fewer elements");
  spec.shares.cuts[0] = 1;
  require_throw<ConfigError>(
      [&] {
        c.prepare_allgather(cpu_device(), {&byte, 1, spec.shares});
      },
      "shares that do not ascend from 0");
  const RowSumSpec rows{{Dtype::float32, 1, 1}, c.size(), places};
  require_throw<ConfigError>([&] { c.prepare_row_sum(cpu_device(), rows); }, "a capacity that is no whole chunk");
  c.barrier();
}

void describe_case(Communicator& c) {
  for (int r = 0; r < c.size(); ++r) {
    const std::string text = c.describe(r);
    require(text.starts_with("rank " + std::to_string(r) + " (host ") && text.find(", pid ") != std::string::npos,
            "description of rank " + std::to_string(r) + ": " + text);
  }
}

void allocate_case(Communicator& c) {
  const auto storage = c.allocate(cpu_device(), 10'000);
  require(reinterpret_cast<std::uintptr_t>(storage->data()) % 64 == 0, "memory aligned to 64 bytes");
  require(std::accumulate(storage->data(), storage->data() + 10'000, 0,
                          [](int sum, std::byte b) { return sum + std::to_integer<int>(b); }) == 0,
          "zeroed memory");
}

constexpr CommunicatorCase kCases[] = {
    {"broadcast", broadcast_case},
    {"allgather", allgather_case},
    {"gather", gather_case},
    {"split", split_case},
    {"block_sum", block_sum_case},
    {"block_sum_lengths", block_sum_lengths_case},
    {"row_sum", row_sum_case},
    {"interleaved_sums", interleaved_sums_case},
    {"progress", progress_case},
    {"arguments", arguments_case},
    {"reduce_scatter", reduce_scatter_case},
    {"allgather_in_place", allgather_in_place_case},
    {"describe", describe_case},
    {"allocate", allocate_case},
};

}  // namespace

std::span<const CommunicatorCase> communicator_cases() { return kCases; }

}  // namespace strata::testing
