// SPDX-License-Identifier: Apache-2.0
// LayerNormalization: every sample on its own to mean 0 and variance 1.
#pragma once

#include "core/model/layer.h"
#include "layers/axes.h"

namespace strata::layers {

struct LayerNormalizationOptions {
  Axes axis = -1;  // normalised over; gamma and beta have an element for each position on them
  double epsilon = 1e-3;
  bool center = true;
  bool scale = true;
  /// As old Keras files have it: x / sqrt(variance + epsilon) * gamma, whatever center and scale say.
  bool rms_scaling = false;
  Initializer beta_initializer = "zeros";
  Initializer gamma_initializer = "ones";
  Regularizer beta_regularizer = {};
  Regularizer gamma_regularizer = {};
  Constraint beta_constraint = {};
  Constraint gamma_constraint = {};
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

/// (x - mean) / sqrt(variance + epsilon) * gamma + beta with mean and variance over `axis` (Ba et al., 2016). Input of
/// any rank, of which the sizes along `axis` are known; output: the input's shape. Weights: gamma (sizes of axis) if
/// scale, beta (likewise) if center. When called throws ShapeError for an axis that the input does not have or whose
/// size is not known.
class LayerNormalization : public LayerRef {
 public:
  explicit LayerNormalization(const LayerNormalizationOptions& options = {});
};

}  // namespace strata::layers
