// SPDX-License-Identifier: Apache-2.0
// ELU: the exponential linear unit as a layer.
#pragma once

#include "core/model/layer.h"

namespace strata::layers {

/// y = x above 0, alpha (e^x - 1) below. Output: the input's shape; floating inputs only.
class ELU : public LayerRef {
 public:
  explicit ELU(double alpha = 1.0, const LayerOptions& options = {});
};

}  // namespace strata::layers
