// SPDX-License-Identifier: Apache-2.0
#include "layers/axis_fans.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace strata {
namespace {

constexpr std::array<std::string_view, 7> kScaling = {"VarianceScaling", "GlorotUniform", "GlorotNormal", "HeUniform",
                                                      "HeNormal",        "LecunUniform",  "LecunNormal"};

}  // namespace

// The values are independent of each other, so those of a matrix with these units serve in any order.
Initializer with_fans(const Initializer& initializer, Dim inputs, Dim outputs) {
  if (std::find(kScaling.begin(), kScaling.end(), initializer.class_name()) == kScaling.end()) return initializer;
  return [initializer, inputs, outputs](const Shape& shape, Dtype dtype, const RandomKey& key) {
    return ops::reshape(initializer({inputs, outputs}, dtype, key), shape);
  };
}

}  // namespace strata
