// SPDX-License-Identifier: Apache-2.0
#include "layers/normalization_base.h"

namespace strata {

std::vector<std::string> normalization_argument_names(std::vector<std::string> own) {
  own.insert(own.end(), {"epsilon", "center", "scale", "beta_initializer", "gamma_initializer", "beta_regularizer",
                         "gamma_regularizer", "beta_constraint", "gamma_constraint"});
  return own;
}

NormalizationBase::NormalizationBase(NormalizationArguments arguments)
    : Layer(arguments.layer), arguments_(std::move(arguments)) {
  set_supports_masking();
  set_autocast(false);
}

Config NormalizationBase::config() const {
  Config all = own_config();
  all.set("epsilon", arguments_.epsilon);
  all.set("center", arguments_.center);
  all.set("scale", arguments_.scale);
  set_weight_config(all, "beta", arguments_.beta);
  set_weight_config(all, "gamma", arguments_.gamma);
  return all;
}

Tensor NormalizationBase::call(const Tensor& input, CallContext& context) {
  return ops::cast(normalize(ops::cast(input, statistics_dtype()), context), compute_dtype());
}

void NormalizationBase::build_gamma_and_beta(const Shape& shape, bool with_gamma, bool with_beta) {
  if (with_gamma) gamma_ = add_weight("gamma", shape, arguments_.gamma);
  if (with_beta) beta_ = add_weight("beta", shape, arguments_.beta);
}

Tensor NormalizationBase::shaped(const Variable& weight, const Shape& shape) const {
  return weight ? ops::cast(ops::reshape(weight, shape), statistics_dtype()) : Tensor();
}

// Keras multiplies x before it takes the mean off, which loses digits where the mean is large.
Tensor NormalizationBase::normalized(const Tensor& centered, const Tensor& variance, const Tensor& gamma,
                                     const Tensor& beta) const {
  Tensor factor = ops::rsqrt(variance + arguments_.epsilon);
  if (gamma) factor = factor * gamma;
  const Tensor scaled = centered * factor;
  return beta ? scaled + beta : scaled;
}

}  // namespace strata
