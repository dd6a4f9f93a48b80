// SPDX-License-Identifier: Apache-2.0
// GroupNormalization: each group of channels of a sample to mean 0 and variance 1.
#pragma once

#include "core/model/layer.h"

namespace strata::layers {

struct GroupNormalizationOptions {
  Dim groups = 32;  // -1 = one for every channel
  int axis = -1;    // of the channels
  double epsilon = 1e-3;
  bool center = true;
  bool scale = true;
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

/// Cuts the channels into groups of neighbours and gives each group of each sample, over its channels and all other
/// axes, (x - mean) / sqrt(variance + epsilon) * gamma + beta (Wu and He, 2018). Input (batch, ...) with a known number
/// of channels; output: the input's shape. Weights: gamma (channels,) if scale, beta (channels,) if center. Throws
/// ConfigError for no positive number of groups; when called, ShapeError for channels that groups do not divide.
class GroupNormalization : public LayerRef {
 public:
  explicit GroupNormalization(const GroupNormalizationOptions& options = {});
};

}  // namespace strata::layers
