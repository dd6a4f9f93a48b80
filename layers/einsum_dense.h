// SPDX-License-Identifier: Apache-2.0
// EinsumDense: a dense layer over axes that an equation names.
#pragma once

#include <optional>
#include <string>

#include "core/model/layer.h"
#include "layers/activations.h"

namespace strata::layers {

struct EinsumDenseOptions {
  strata::Activation activation = {};
  std::string bias_axes = {};  // the letters of the result that have a bias; "" = none
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

/// y = activation(einsum(equation, x, kernel) + bias). `equation` is "ab,bc->ac", "...ab,bc->...ac" or
/// "ab...,bc->ac...": the letters of x, of the kernel, of the result. `output_shape` gives the sizes of the result
/// without its batch axis and the axes of "..."; None where the input has that axis. Weights: kernel (the sizes of its
/// letters), bias (from the first letter of bias_axes to the end of the result; 1 at letters not in bias_axes). Throws
/// ConfigError for an equation of another form, ShapeError for shapes that do not fit it.
class EinsumDense : public LayerRef {
 public:
  EinsumDense(std::string equation, Shape output_shape, const EinsumDenseOptions& options = {});
  EinsumDense(std::string equation, Dim output_size, const EinsumDenseOptions& options = {})
      : EinsumDense(std::move(equation), Shape{output_size}, options) {}
};

}  // namespace strata::layers
