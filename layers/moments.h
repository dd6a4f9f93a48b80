// SPDX-License-Identifier: Apache-2.0
// Mean and variance, as the normalisation layers take them.
#pragma once

#include <vector>

#include "core/tensor/tensor.h"

namespace strata {

struct Moments {
  Tensor mean;      // the reduced axes keep size 1
  Tensor variance;  // likewise; the mean square of x - mean, not divided by n - 1
  Tensor centered;  // x - mean
};

struct MomentsOptions {
  Tensor mask = {};           // bool, broadcasts to x: the elements that count; empty = all
  bool synchronized = false;  // over all blocks of the step, see ops::block_sum
};

/// The moments of floating x over `axes` (counted from 0). The variance is summed from x - mean, so it is exact also
/// where the mean is large. With a mask both are divided by the number of elements that count plus Keras' epsilon 1e-7,
/// so that they are 0 where none does.
Moments moments(const Tensor& x, const std::vector<int>& axes, const MomentsOptions& options = {});

}  // namespace strata
