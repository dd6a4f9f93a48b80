// SPDX-License-Identifier: Apache-2.0
// What the normalisation layers with gamma and beta have in common.
#pragma once

#include "core/model/layer.h"
#include "layers/axes.h"
#include "layers/layer_config.h"

namespace strata {

/// The arguments that all of them take, out of their options.
struct NormalizationArguments {
  double epsilon;
  bool center, scale;
  WeightOptions beta, gamma;
  LayerOptions layer;
};

template <class Options>
NormalizationArguments normalization_arguments(const Options& options) {
  return {.epsilon = options.epsilon,
          .center = options.center,
          .scale = options.scale,
          .beta = {.initializer = options.beta_initializer,
                   .regularizer = options.beta_regularizer,
                   .constraint = options.beta_constraint,
                   .autocast = false},
          .gamma = {.initializer = options.gamma_initializer,
                    .regularizer = options.gamma_regularizer,
                    .constraint = options.gamma_constraint,
                    .autocast = false},
          .layer = {options.name, options.trainable, options.dtype}};
}

/// The options that all of them take, from a config.
template <class Options>
Options normalization_options(const LayerConfig& arguments) {
  Options options;
  options.epsilon = arguments.number("epsilon", options.epsilon);
  options.center = arguments.flag("center", true);
  options.scale = arguments.flag("scale", true);
  options.beta_initializer = arguments.initializer("beta_initializer", "zeros");
  options.gamma_initializer = arguments.initializer("gamma_initializer", "ones");
  options.beta_regularizer = arguments.regularizer("beta_regularizer");
  options.gamma_regularizer = arguments.regularizer("gamma_regularizer");
  options.beta_constraint = arguments.constraint("beta_constraint");
  options.gamma_constraint = arguments.constraint("gamma_constraint");
  const LayerOptions common = arguments.options();
  options.name = common.name;
  options.trainable = common.trainable;
  options.dtype = common.dtype;
  return options;
}

/// The names that normalization_options() reads, and `own`.
std::vector<std::string> normalization_argument_names(std::vector<std::string> own);

/// Base of the layers. Statistics are taken in the dtype of the weights, whatever the input's is, and in float32 where
/// that is a half. Masks pass through.
class NormalizationBase : public Layer {
 public:
  explicit NormalizationBase(NormalizationArguments arguments);

  Config config() const final;
  Tensor call(const Tensor& input, CallContext& context) final;

 protected:
  /// The arguments that only this layer has.
  virtual Config own_config() const = 0;
  /// The layer's function of x, in statistics_dtype().
  virtual Tensor normalize(const Tensor& x, CallContext& context) const = 0;

  /// Creates gamma and beta, those of them that the arguments ask for.
  void build_gamma_and_beta(const Shape& shape) { build_gamma_and_beta(shape, arguments_.scale, arguments_.center); }
  void build_gamma_and_beta(const Shape& shape, bool with_gamma, bool with_beta);
  Dtype statistics_dtype() const { return widened(variable_dtype()); }
  /// The weights in another shape of as many elements; empty handles when there are none.
  Tensor gamma(const Shape& shape) const { return shaped(gamma_, shape); }
  Tensor beta(const Shape& shape) const { return shaped(beta_, shape); }
  /// centered / sqrt(variance + epsilon) * gamma + beta, where there are any.
  Tensor normalized(const Tensor& centered, const Tensor& variance, const Tensor& gamma, const Tensor& beta) const;

  const NormalizationArguments& arguments() const { return arguments_; }

 private:
  Tensor shaped(const Variable& weight, const Shape& shape) const;

  NormalizationArguments arguments_;
  Variable gamma_, beta_;
};

}  // namespace strata
