// SPDX-License-Identifier: Apache-2.0
#include "layers/activations.h"

#include <cmath>
#include <map>

#include "core/base/error.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

// The constants of Klambauer et al., "Self-normalizing neural networks" (2017).
constexpr double kSeluScale = 1.0507009873554804934193349852946;
constexpr double kSeluAlpha = 1.6732632423543772848170429916717;

Tensor number(double value, const Tensor& like) { return scalar(value, like.dtype()); }

/// x above 0, alpha (e^x - 1) below. The exponent never exceeds 0, so that no gradient overflows.
Tensor exponential_below_zero(const Tensor& x, double alpha) {
  return ops::relu(x) + ops::expm1(ops::minimum(x, number(0, x))) * alpha;
}

Tensor relu6(const Tensor& x) { return ops::minimum(ops::relu(x), number(6, x)); }
Tensor hard_sigmoid(const Tensor& x) { return relu6(x + 3.0) / 6.0; }
Tensor leaky_relu(const Tensor& x) { return ops::maximum(x, x * 0.2); }
Tensor gelu(const Tensor& x) { return x * (ops::erf(x / std::sqrt(2.0)) + 1.0) * 0.5; }
Tensor silu(const Tensor& x) { return x * ops::sigmoid(x); }

const Tensor& checked_for_softmax(const Tensor& x) {
  if (x.rank() < 2) throw ShapeError("Cannot apply softmax to a tensor that is " + std::to_string(x.rank()) + "D");
  return x;
}

const std::map<std::string, Activation::Function>& functions() {
  static const std::map<std::string, Activation::Function> all = {
      {"linear", [](const Tensor& x) { return x; }},
      {"relu", ops::relu},
      {"relu6", relu6},
      {"leaky_relu", leaky_relu},
      {"elu", [](const Tensor& x) { return exponential_below_zero(x, 1.0); }},
      {"selu", [](const Tensor& x) { return exponential_below_zero(x, kSeluAlpha) * kSeluScale; }},
      {"sigmoid", ops::sigmoid},
      {"hard_sigmoid", hard_sigmoid},
      {"tanh", ops::tanh},
      {"softplus", ops::softplus},
      {"softsign", [](const Tensor& x) { return x / (ops::abs(x) + 1.0); }},
      {"exponential", ops::exp},
      {"silu", silu},
      {"swish", silu},
      {"hard_silu", [](const Tensor& x) { return x * hard_sigmoid(x); }},
      {"gelu", gelu},
      {"mish", [](const Tensor& x) { return x * ops::tanh(ops::softplus(x)); }},
      {"softmax", [](const Tensor& x) { return ops::softmax(checked_for_softmax(x)); }},
      {"log_softmax", [](const Tensor& x) { return ops::log_softmax(checked_for_softmax(x)); }},
  };
  return all;
}

}  // namespace

Activation::Activation(const std::string& name) : name_(name.empty() ? "linear" : name) {
  const auto found = functions().find(name_);
  if (found == functions().end()) throw ConfigError("Unknown activation function:" + name);
  function_ = found->second;
}

Activation Activation::from_config(const Config& config) {
  return config.is_null() ? Activation() : Activation(config.as_string());
}

std::vector<std::string> Activation::names() {
  std::vector<std::string> all;
  for (const auto& entry : functions()) all.push_back(entry.first);
  return all;
}

}  // namespace strata
