// SPDX-License-Identifier: Apache-2.0
// RMSNormalization: every sample on its own to root mean square 1.
#pragma once

#include "core/model/layer.h"
#include "layers/axes.h"

namespace strata::layers {

struct RMSNormalizationOptions {
  Axes axis = -1;  // normalised over
  double epsilon = 1e-6;
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

/// x / sqrt(mean(x^2) + epsilon) * scale with the mean over `axis` (Zhang and Sennrich, 2019). Input of any rank, of
/// which the sizes along `axis` are known; output: the input's shape. Weights: scale (sizes of axis), which meets the
/// last axes of x, as in Keras, whatever `axis` is. When called throws ShapeError for an axis that the input does not
/// have or whose size is not known, and where scale does not broadcast to x.
class RMSNormalization : public LayerRef {
 public:
  explicit RMSNormalization(const RMSNormalizationOptions& options = {});
};

}  // namespace strata::layers
