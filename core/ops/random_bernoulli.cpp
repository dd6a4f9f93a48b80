// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "core/base/error.h"
#include "core/base/simd.h"
#include "core/ops/random.h"

namespace strata {
namespace {

STRATA_SIMD_CLONES void bernoulli(const std::uint32_t* words, void* values, Dim blocks, double probability, double) {
  bool* out = static_cast<bool*>(values);
  if (probability >= 1.0) {
    for (Dim i = 0; i < 4 * blocks; ++i) out[i] = true;
    return;
  }
  const auto threshold = static_cast<std::uint32_t>(probability * 0x1p32);
  for (Dim i = 0; i < 4 * blocks; ++i) out[i] = words[i] < threshold;
}

RandomConversion conversion(Dtype dtype) { return dtype == Dtype::boolean ? &bernoulli : nullptr; }

constexpr RandomRule kRule{"random_bernoulli", {"probability", nullptr}, conversion};

}  // namespace

Tensor ops::random_bernoulli(const RandomKey& key, const Shape& shape, double probability) {
  if (!(probability >= 0.0 && probability <= 1.0)) {
    throw ConfigError("random_bernoulli: expected a probability in [0, 1], received " + std::to_string(probability));
  }
  return draw(kRule, key, shape, probability, 0.0, Dtype::boolean);
}

void register_random_bernoulli(OpRegistry& registry) {
  const auto build = [](const RandomKey& key, const Shape& shape, Dtype) {
    return ops::random_bernoulli(key, shape, 0.3);
  };
  registry.add(random_entry(kRule, build, {Dtype::boolean}));
}

}  // namespace strata
