// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "core/base/error.h"
#include "core/base/simd.h"
#include "core/ops/random.h"

namespace strata {
namespace {

/// Rounding may reach `high`: the largest number below it takes its place.
template <class T>
T limit_below(double low, double high) {
  const T bound = static_cast<T>(high);
  return low < high ? std::nextafter(bound, static_cast<T>(low)) : bound;
}

STRATA_SIMD_CLONES void uniform_floats(const std::uint32_t* words, void* values, Dim blocks, double low, double high) {
  float* out = static_cast<float*>(values);
  const auto first = static_cast<float>(low);
  const auto span = static_cast<float>(high - low);
  const auto limit = limit_below<float>(low, high);
  for (Dim i = 0; i < 4 * blocks; ++i) {
    const float value = first + span * unit_float(words[i]);
    out[i] = value < limit ? value : limit;
  }
}

STRATA_SIMD_CLONES void uniform_doubles(const std::uint32_t* words, void* values, Dim blocks, double low, double high) {
  double* out = static_cast<double*>(values);
  const double limit = limit_below<double>(low, high);
  for (Dim i = 0; i < 2 * blocks; ++i) {
    const double value = low + (high - low) * unit_double(words[2 * i], words[2 * i + 1]);
    out[i] = value < limit ? value : limit;
  }
}

RandomConversion conversion(Dtype dtype) {
  if (dtype == Dtype::float32) return &uniform_floats;
  return dtype == Dtype::float64 ? &uniform_doubles : nullptr;
}

/// The largest number of a half type that is less than `high`.
template <class Half>
float largest_below(float high) {
  Half number(high);
  if (number < high) return number;
  if (number == 0.0f) number.bits = 0x8001;  // the negative one next to zero
  else if (number > 0.0f) --number.bits;
  else ++number.bits;
  return number;
}

/// Drawn as float32; what would round to `high` is the largest number below it.
Tensor uniform_halves(const RandomKey& key, const Shape& shape, double low, double high, Dtype dtype) {
  Tensor rounded = ops::cast(ops::random_uniform(key, shape, low, high), dtype);
  if (low == high) return rounded;
  const auto bound = static_cast<float>(high);
  const float limit = dtype == Dtype::float16 ? largest_below<Float16>(bound) : largest_below<Bfloat16>(bound);
  return ops::minimum(rounded, scalar(limit, dtype));
}

constexpr RandomRule kRule{"random_uniform", {"low", "high"}, conversion};

}  // namespace

Tensor ops::random_uniform(const RandomKey& key, const Shape& shape, double low, double high, Dtype dtype) {
  if (!(low <= high)) {
    throw ConfigError("random_uniform: expected low <= high, received low=" + std::to_string(low) +
                      " and high=" + std::to_string(high));
  }
  if (is_half(dtype)) return uniform_halves(key, shape, low, high, dtype);
  return draw(kRule, key, shape, low, high, dtype);
}

void register_random_uniform(OpRegistry& registry) {
  const auto build = [](const RandomKey& key, const Shape& shape, Dtype dtype) {
    return ops::random_uniform(key, shape, -2.0, 3.0, dtype);
  };
  registry.add(random_entry(kRule, build, {Dtype::float32, Dtype::float64}));
}

}  // namespace strata
