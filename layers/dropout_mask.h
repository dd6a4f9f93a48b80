// SPDX-License-Identifier: Apache-2.0
// Setting elements to 0 at random, as Dropout and the layers that drop out within themselves do.
#pragma once

#include "core/model/call_context.h"

namespace strata {

/// x with each element set to 0 with probability `rate` and the others divided by 1 - rate. The choice is made for
/// `shape`, which broadcasts to x. 0 <= rate <= 1.
Tensor drop_out(const Tensor& x, const Shape& shape, double rate, const RandomKey& key);

}  // namespace strata
