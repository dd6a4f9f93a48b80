// SPDX-License-Identifier: Apache-2.0
#include "core/program/communicator.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/program/add_elements.h"

namespace strata {
namespace {

void check_partials(const std::string& what, Dtype dtype, Dim blocks, std::size_t partials, int ranks, int rank) {
  if (!is_floating(dtype)) {
    throw DtypeError(what + ": expected a floating dtype, received " + std::string(to_string(dtype)));
  }
  if (blocks < ranks) {
    throw ConfigError(what + ": " + std::to_string(ranks) + " ranks need at least as many blocks, received " +
                      std::to_string(blocks));
  }
  const Dim own = rank_blocks(blocks, ranks, rank).size();
  if (static_cast<Dim>(partials) != own) {
    throw ConfigError(what + ": rank " + std::to_string(rank) + " owns " + std::to_string(own) + " blocks, received " +
                      std::to_string(partials) + " partials");
  }
}

void check_shares(const std::string& what, const Shares& shares, int ranks) {
  const std::vector<Dim>& cuts = shares.cuts;
  if (shares.ranks == ranks && cuts.size() % static_cast<std::size_t>(ranks) == 1 % static_cast<std::size_t>(ranks) &&
      !cuts.empty() && cuts.front() == 0 && std::is_sorted(cuts.begin(), cuts.end())) {
    return;
  }
  throw ConfigError(what + ": expected ascending cuts from 0 on, one share of every round for each of " +
                    std::to_string(ranks) + " ranks, received " + std::to_string(cuts.size()) + " cuts for " +
                    std::to_string(shares.ranks) + " ranks");
}

}  // namespace

void accumulate(Device& device, Stream& stream, Dtype dtype, void* to, const void* from, Dim count) {
  if (device.kernels() != "cpu") {
    throw ConfigError("accumulate: there is no kernel for device " + std::string(device.name()));
  }
  device.launch(stream, [&] { add_elements(dtype, to, from, count); });
}

void check_block_sum(const BlockSumSpec& spec, int ranks, int rank) {
  check_partials("block sum", spec.dtype, spec.blocks, spec.partials.size(), ranks, rank);
  if (spec.count < 0) {
    throw ConfigError("block sum: expected a count of at least 0, received " + std::to_string(spec.count));
  }
  if (spec.shares.empty()) return;
  check_shares("block sum", spec.shares, ranks);
  if (spec.shares.elements() != spec.count) {
    throw ConfigError("block sum: expected shares of all " + std::to_string(spec.count) +
                      " elements, received those of " + std::to_string(spec.shares.elements()));
  }
}

void check_allgather(const AllgatherSpec& spec, int ranks) { check_shares("allgather", spec.shares, ranks); }

void check_row_sum(const RowSumSpec& spec, int ranks, int rank) {
  check_partials("row sum", spec.layout.dtype, spec.blocks, spec.partials.size(), ranks, rank);
  if (spec.layout.width < 0 || spec.layout.capacity < 0 || spec.layout.capacity % RowLayout::kChunk != 0) {
    throw ConfigError("row sum: expected a width of at least 0 and a capacity in chunks of " +
                      std::to_string(RowLayout::kChunk) + " rows, received " + std::to_string(spec.layout.width) +
                      " and " + std::to_string(spec.layout.capacity));
  }
}

}  // namespace strata
