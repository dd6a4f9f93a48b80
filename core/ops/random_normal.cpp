// SPDX-License-Identifier: Apache-2.0
// Box and Muller, "A note on the generation of random normal deviates" (1958): two uniform numbers make two normal
// ones.
#include <cmath>
#include <numbers>

#include "core/base/error.h"
#include "core/base/simd.h"
#include "core/ops/random.h"
#include "core/ops/vector_math.h"

namespace strata {
namespace {

STRATA_SIMD_CLONES void normal_floats(const std::uint32_t* words, void* values, Dim blocks, double mean,
                                      double stddev) {
  float* out = static_cast<float*>(values);
  const auto center = static_cast<float>(mean);
  const auto scale = static_cast<float>(stddev);
  for (Dim i = 0; i < 2 * blocks; ++i) {
    const float u = 1.0f - unit_float(words[2 * i]);  // in (0, 1]
    const float angle = 2.0f * std::numbers::pi_v<float> * unit_float(words[2 * i + 1]);
    const float radius = scale * std::sqrt(-2.0f * vector_math::log(u));
    out[2 * i] = center + radius * vector_math::cos(angle);
    out[2 * i + 1] = center + radius * vector_math::sin(angle);
  }
}

void normal_doubles(const std::uint32_t* words, void* values, Dim blocks, double mean, double stddev) {
  double* out = static_cast<double*>(values);
  for (Dim b = 0; b < blocks; ++b, words += 4) {
    const double u = 1.0 - unit_double(words[0], words[1]);
    const double angle = 2.0 * std::numbers::pi * unit_double(words[2], words[3]);
    const double radius = stddev * std::sqrt(-2.0 * std::log(u));
    out[2 * b] = mean + radius * std::cos(angle);
    out[2 * b + 1] = mean + radius * std::sin(angle);
  }
}

RandomConversion conversion(Dtype dtype) {
  if (dtype == Dtype::float32) return &normal_floats;
  return dtype == Dtype::float64 ? &normal_doubles : nullptr;
}

constexpr RandomRule kRule{"random_normal", {"mean", "stddev"}, conversion};

}  // namespace

Tensor ops::random_normal(const RandomKey& key, const Shape& shape, double mean, double stddev, Dtype dtype) {
  if (!(stddev >= 0)) {
    throw ConfigError("random_normal: expected stddev >= 0, received " + std::to_string(stddev));
  }
  if (is_half(dtype)) return ops::cast(random_normal(key, shape, mean, stddev), dtype);
  return draw(kRule, key, shape, mean, stddev, dtype);
}

void register_random_normal(OpRegistry& registry) {
  const auto build = [](const RandomKey& key, const Shape& shape, Dtype dtype) {
    return ops::random_normal(key, shape, 1.0, 2.0, dtype);
  };
  registry.add(random_entry(kRule, build, {Dtype::float32, Dtype::float64}));
}

}  // namespace strata
