// SPDX-License-Identifier: Apache-2.0
#include "core/program/communicator.h"

#include "core/base/error.h"
#include "core/base/simd.h"
#include "core/base/thread_environment.h"

namespace strata {
namespace {

template <class T>
STRATA_SIMD_CLONES void add_to(T* __restrict to, const T* __restrict from, Dim count) {
  for (Dim i = 0; i < count; ++i) to[i] = static_cast<T>(Widened<T>{to[i]} + Widened<T>{from[i]});
}

}  // namespace

void accumulate(Device& device, Stream& stream, Dtype dtype, void* to, const void* from, Dim count) {
  if (device.kernels() != "cpu") {
    throw ConfigError("accumulate: there is no kernel for device " + std::string(device.name()));
  }
  device.launch(stream, [&] {
    // Whether tiny values are flushed to zero must not depend on the thread that happens to advance the sum.
    const ThreadEnvironment environment;
    visit_element(dtype, [&]<class T>(TypeTag<T>) {
      if constexpr (std::is_floating_point_v<Widened<T>>)
        add_to(static_cast<T*>(to), static_cast<const T*>(from), count);
    });
  });
}

void check_block_sum(const BlockSumSpec& spec, int ranks, int rank) {
  if (!is_floating(spec.dtype)) {
    throw DtypeError("block sum: expected a floating dtype, received " + std::string(to_string(spec.dtype)));
  }
  if (spec.count < 0) {
    throw ConfigError("block sum: expected a count of at least 0, received " + std::to_string(spec.count));
  }
  if (spec.blocks < ranks) {
    throw ConfigError("block sum: " + std::to_string(ranks) + " ranks need at least as many blocks, received " +
                      std::to_string(spec.blocks));
  }
  const Dim own = rank_blocks(spec.blocks, ranks, rank).size();
  if (static_cast<Dim>(spec.partials.size()) != own) {
    throw ConfigError("block sum: rank " + std::to_string(rank) + " owns " + std::to_string(own) +
                      " blocks, received " + std::to_string(spec.partials.size()) + " partials");
  }
}

}  // namespace strata
