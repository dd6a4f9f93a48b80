// SPDX-License-Identifier: Apache-2.0
// What the random ops share. Element (row r, column c) of a draw - r along axis 0, c along the other axes flattened,
// both 0 for a scalar - comes from Philox with the counter {low and high half of g, c / (elements a block), low half of
// step}, where g = state[2] + r, and a key mixed from seed, stream and the high half of step. Element c of a row takes
// the words of its block in order. So a number depends on nothing but these.
#pragma once

#include "core/base/philox.h"
#include "core/ops/ops.h"
#include "core/ops/registry.h"

namespace strata {

/// Makes elements of `blocks` Philox blocks of four words each; `first` and `second` are the op's parameters.
using RandomConversion = void (*)(const std::uint32_t* words, void* values, Dim blocks, double first, double second);

/// One random op. Instances are static constants, one a file in core/ops.
struct RandomRule {
  std::string_view name;
  const char* parameters[2];  // their names in attributes; the second may be null
  /// Null for a dtype that is not drawn.
  RandomConversion (*conversion)(Dtype dtype);
};

/// Elements that one block of four words makes.
constexpr int elements_per_block(Dtype dtype) { return dtype == Dtype::float64 ? 2 : 4; }

/// The Philox key of a draw.
PhiloxKey random_key(std::uint64_t seed, std::uint64_t stream, std::uint64_t step);

/// A draw of `shape`. `state` must be int64 (3,).
Tensor draw(const RandomRule& rule, const RandomKey& key, const Shape& shape, double first, double second, Dtype dtype);
/// The registry entry; `build` draws from (state, shape).
OpEntry random_entry(const RandomRule& rule, Tensor (*build)(const RandomKey& key, const Shape& shape, Dtype dtype),
                     const std::vector<Dtype>& dtypes);

}  // namespace strata
