// SPDX-License-Identifier: Apache-2.0
#include "core/training/sample_source.h"

namespace strata {

std::vector<SampleArray> SampleSpecs::all() const {
  std::vector<SampleArray> arrays = x;
  arrays.insert(arrays.end(), y.begin(), y.end());
  arrays.insert(arrays.end(), sample_weight.begin(), sample_weight.end());
  return arrays;
}

}  // namespace strata
