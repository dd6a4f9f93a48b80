// SPDX-License-Identifier: Apache-2.0
#include "layers/dropout_mask.h"

namespace strata {

Tensor drop_out(const Tensor& x, const Shape& shape, double rate, const RandomKey& key) {
  if (rate == 0.0) return x;
  if (rate == 1.0) return ops::zeros_like(x);
  const Tensor keep = ops::random_bernoulli(key, shape, 1.0 - rate);
  return ops::select(keep, x * (1.0 / (1.0 - rate)), scalar(0, x.dtype()));
}

}  // namespace strata
