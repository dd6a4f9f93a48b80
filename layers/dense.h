// SPDX-License-Identifier: Apache-2.0
// Dense: a fully connected layer.
#pragma once

#include <optional>

#include "core/model/initializers.h"
#include "core/model/layer.h"
#include "layers/activations.h"

namespace strata::layers {

struct DenseOptions {
  strata::Activation activation = {};
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  Regularizer kernel_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint bias_constraint = {};
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

/// y = activation(x kernel + bias), over the last axis of x.
/// Input (batch, ..., in), of any dtype (cast to the layer's); output (batch, ..., units).
/// Weights: kernel (in, units), bias (units,) if use_bias.
/// Throws ConfigError for units < 1, DtypeError for a dtype that is not floating, ShapeError when the last dimension is
/// unknown or differs from that of the first call.
class Dense : public LayerRef {
 public:
  explicit Dense(Dim units, const DenseOptions& options = {});
};

}  // namespace strata::layers
