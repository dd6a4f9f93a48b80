// SPDX-License-Identifier: Apache-2.0
// Sums of lists of rows, compared with dense sums of the same gradients.
#include <cstring>
#include <set>

#include "core/base/philox.h"
#include "tests/support/communicator_cases.h"

namespace strata::testing {
namespace {

constexpr Dim kRows = 200;  // of the dense gradient

/// The rows that a block touches in a step: from none to most.
std::set<Dim> touched_rows(Dim block, Dim step) {
  std::set<Dim> rows;
  const Dim draws = (block * 7 + step) % 5 * 40;
  for (Dim i = 0; i < draws; ++i) {
    const auto words = philox4x32({static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(block), 0, 0},
                                  {static_cast<std::uint32_t>(step), 3});
    rows.insert(static_cast<Dim>(words[0] % kRows));
  }
  return rows;
}

/// The dense gradient of a block, zero but for the rows it touches.
template <class T>
std::vector<T> dense_rows(Dim block, Dim step, Dim width) {
  const auto values = block_values<T>(block, kRows * width);
  std::vector<T> dense(values.size(), T{});
  for (const Dim row : touched_rows(block, step)) {
    std::copy_n(values.begin() + row * width, width, dense.begin() + row * width);
  }
  return dense;
}

template <class T>
std::vector<std::byte> row_list(const RowLayout& layout, Dim block, Dim step) {
  std::vector<std::byte> list(layout.bytes());
  const auto dense = dense_rows<T>(block, step, layout.width);
  for (const Dim row : touched_rows(block, step)) {
    const Dim place = RowLayout::count(list.data())++;
    RowLayout::ids(list.data())[place] = row;
    std::memcpy(layout.row(list.data(), place), &dense[static_cast<std::size_t>(row * layout.width)],
                layout.row_bytes());
  }
  return list;
}

template <class T>
void require_row_sum(const RowLayout& layout, std::vector<std::byte>& list, Dim blocks, Dim step) {
  std::vector<std::vector<T>> partials;
  std::set<Dim> touched;
  for (Dim b = 0; b < blocks; ++b) {
    partials.push_back(dense_rows<T>(b, step, layout.width));
    touched.merge(touched_rows(b, step));
  }
  const auto sum = canonical_sum(std::move(partials));
  const Dim count = RowLayout::count(list.data());
  require(count == static_cast<Dim>(touched.size()), "row sum: the number of rows");
  Dim place = 0;
  for (const Dim row : touched) {
    require(RowLayout::ids(list.data())[place] == row, "row sum: ids in order");
    require(std::memcmp(layout.row(list.data(), place++), &sum[static_cast<std::size_t>(row * layout.width)],
                        layout.row_bytes()) == 0,
            "row sum: the sum of row " + std::to_string(row) + " differs from the dense one");
  }
  for (Dim i = count; i % RowLayout::kChunk != 0; ++i) {
    require(RowLayout::ids(list.data())[i] == -1, "row sum: the end of the last chunk");
  }
}

}  // namespace

template <class T>
void row_sum_on(Communicator& c, Device& device, Dim blocks, Dim width) {
  const RowLayout layout{dtype_of<T>(), width, 4 * RowLayout::kChunk};
  const IndexRange own = rank_blocks(blocks, c.size(), c.rank());
  const auto memory = c.allocate(device, static_cast<std::size_t>(own.size()) * layout.bytes());
  const auto stream = device.make_stream();
  std::vector<void*> lists;
  for (Dim b = 0; b < own.size(); ++b) lists.push_back(memory->data() + static_cast<std::size_t>(b) * layout.bytes());
  const auto sum = c.prepare_row_sum(device, {layout, blocks, lists});
  std::vector<std::byte> host(layout.bytes());
  for (Dim step = 0; step < 3; ++step) {
    for (Dim b = 0; b < own.size(); ++b) {
      host = row_list<T>(layout, own.first + b, step);
      device.copy_from_host(lists[static_cast<std::size_t>(b)], host.data(), host.size(), *stream);
      stream->synchronize();
    }
    sum->start();
    if (step == 1) {
      while (!sum->advance()) c.progress();
    } else {
      sum->wait();
    }
    device.copy_to_host(host.data(), lists[0], host.size(), *stream);
    stream->synchronize();
    require_row_sum<T>(layout, host, blocks, step);
  }
}

template void row_sum_on<float>(Communicator&, Device&, Dim, Dim);
template void row_sum_on<double>(Communicator&, Device&, Dim, Dim);

void row_sum_case(Communicator& c) {
  for (Dim blocks = c.size(); blocks <= 13; ++blocks) {
    row_sum_on<float>(c, cpu_device(), blocks, 5);
    row_sum_on<double>(c, cpu_device(), blocks, 1);
  }
  row_sum_on<float>(c, cpu_device(), c.size() + 1, 2000);  // a list is several pieces of a message
}

}  // namespace strata::testing
