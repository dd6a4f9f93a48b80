// SPDX-License-Identifier: Apache-2.0
// UnitNormalization: every sample on its own to length 1.
#pragma once

#include "core/model/layer.h"
#include "layers/axes.h"

namespace strata::layers {

struct UnitNormalizationOptions {
  Axes axis = -1;  // normalised over
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

/// x divided by its L2 norm over `axis`; what is shorter than 1e-12 is multiplied by 1e12 instead. Input of any rank;
/// output: the input's shape. When called throws ShapeError for an axis that the input does not have.
class UnitNormalization : public LayerRef {
 public:
  explicit UnitNormalization(const UnitNormalizationOptions& options = {});
};

}  // namespace strata::layers
