// SPDX-License-Identifier: Apache-2.0
#include "layers/matrix_cell.h"

#include <algorithm>

#include "core/base/error.h"
#include "layers/seeded_key.h"

namespace strata {
namespace {

bool drops(double rate) { return rate > 0.0 && rate < 1.0; }

/// 0 with probability `rate`, else 1 / (1 - rate); (batch, size).
Tensor dropout_mask(const Tensor& like, Dim size, double rate, Dtype dtype, const RandomKey& key) {
  const Tensor keep = ops::random_bernoulli(key, {like.shape()[0], size}, 1.0 - rate);
  return ops::cast(keep, dtype) * (1.0 / (1.0 - rate));
}

}  // namespace

Tensor gate_columns(const Tensor& x, Dim units, Dim first, Dim last) {
  std::vector<Dim> begin(static_cast<std::size_t>(x.rank()), 0), end(begin.size(), None);
  begin.back() = first * units;
  end.back() = last * units;
  return x.shape().back() == (last - first) * units ? x : ops::slice(x, begin, end);
}

MatrixCell::MatrixCell(MatrixCellArguments arguments, Dim gates, const LayerOptions& layer)
    : Cell(layer), arguments_(std::move(arguments)), gates_(gates) {
  if (arguments_.units < 1) {
    throw ConfigError("Received an invalid value for argument `units`, expected a positive integer, got " +
                      std::to_string(arguments_.units) + ".");
  }
  arguments_.dropout = std::clamp(arguments_.dropout, 0.0, 1.0);
  arguments_.recurrent_dropout = std::clamp(arguments_.recurrent_dropout, 0.0, 1.0);
}

Config MatrixCell::config() const {
  Config config = Config::object({{"units", arguments_.units}, {"activation", arguments_.activation.config()}});
  if (arguments_.recurrent_activation) config.set("recurrent_activation", arguments_.recurrent_activation->config());
  return config.set("use_bias", arguments_.use_bias)
      .set("kernel_initializer", arguments_.kernel_initializer.config())
      .set("recurrent_initializer", arguments_.recurrent_initializer.config())
      .set("bias_initializer", arguments_.bias_initializer.config())
      .set("kernel_regularizer", arguments_.kernel_regularizer.config())
      .set("recurrent_regularizer", arguments_.recurrent_regularizer.config())
      .set("bias_regularizer", arguments_.bias_regularizer.config())
      .set("kernel_constraint", arguments_.kernel_constraint.config())
      .set("recurrent_constraint", arguments_.recurrent_constraint.config())
      .set("bias_constraint", arguments_.bias_constraint.config())
      .set("dropout", arguments_.dropout)
      .set("recurrent_dropout", arguments_.recurrent_dropout)
      .set("seed", arguments_.seed ? Config(*arguments_.seed) : Config());
}

void MatrixCell::build(const Shape& input) {
  if (input.back() == None) {
    throw ShapeError("The last dimension of the inputs to `" + class_name() + "` should be defined. Found `None`.");
  }
  set_input_spec({{.axes = {{-1, input.back()}}}, {}});
  const Dim columns = gates_ * arguments_.units;
  kernel_ = add_weight("kernel", {input.back(), columns},
                       {.initializer = arguments_.kernel_initializer,
                        .regularizer = arguments_.kernel_regularizer,
                        .constraint = arguments_.kernel_constraint});
  recurrent_kernel_ = add_weight("recurrent_kernel", {arguments_.units, columns},
                                 {.initializer = arguments_.recurrent_initializer,
                                  .regularizer = arguments_.recurrent_regularizer,
                                  .constraint = arguments_.recurrent_constraint});
  if (!arguments_.use_bias) return;
  bias_ = add_weight("bias", bias_shape(),
                     {.initializer = bias_initializer(),
                      .regularizer = arguments_.bias_regularizer,
                      .constraint = arguments_.bias_constraint});
}

Tensor MatrixCell::recurrent_kernel() const { return recurrent_kernel_; }

CellStep MatrixCell::call(const Tensor& input, const std::vector<Tensor>& states, CallContext& context) {
  const SequenceConstants constants = begin_sequence(input, context);
  return step(project(input, constants), states, constants, context);
}

// First the masks of the input, then those of the state; empty handles where nothing is dropped.
SequenceConstants MatrixCell::begin_sequence(const Tensor& input, CallContext& context) {
  if (!context.training() || (!drops(arguments_.dropout) && !drops(arguments_.recurrent_dropout))) return {};
  SequenceConstants constants;
  const auto draw = [&](Dim size, double rate) {
    for (Dim m = 0; m < masks(); ++m) {
      constants.tensors.push_back(
          drops(rate) ? dropout_mask(input, size, rate, compute_dtype(), seeded_key(context, arguments_.seed))
                      : Tensor());
    }
  };
  draw(input.shape().back(), arguments_.dropout);
  draw(arguments_.units, arguments_.recurrent_dropout);
  return constants;
}

Tensor MatrixCell::product(const Tensor& x, const Tensor& matrix, const SequenceConstants& constants, Dim first_mask,
                           Dim first_gate, Dim last_gate) const {
  const auto mask = [&](Dim m) {
    return constants.tensors.empty() ? Tensor() : constants.tensors[static_cast<std::size_t>(first_mask + m)];
  };
  if (!mask(0)) return ops::matmul(x, gate_columns(matrix, units(), first_gate, last_gate));
  if (masks() == 1) return ops::matmul(x * mask(0), gate_columns(matrix, units(), first_gate, last_gate));
  std::vector<Tensor> parts;
  for (Dim g = first_gate; g < last_gate; ++g) {
    parts.push_back(ops::matmul(x * mask(g), gate_columns(matrix, units(), g, g + 1)));
  }
  return parts.size() == 1 ? parts[0] : ops::concatenate(parts, -1);
}

Tensor MatrixCell::project(const Tensor& input, const SequenceConstants& constants) {
  const Tensor projected = product(input, kernel_, constants, 0, 0, gates_);
  const Tensor added = input_bias();
  return added ? projected + added : projected;
}

Tensor MatrixCell::recurrent_product(const Tensor& state, const SequenceConstants& constants, Dim first,
                                     Dim last) const {
  return product(state, recurrent_kernel_, constants, masks(), first, last);
}

Tensor MatrixCell::masked_state(const Tensor& state, const SequenceConstants& constants, Dim gate) const {
  if (constants.tensors.empty()) return state;
  const Tensor& mask = constants.tensors[static_cast<std::size_t>(masks() + (masks() == 1 ? 0 : gate))];
  return mask ? state * mask : state;
}

std::vector<std::string> cell_arguments(const std::vector<std::string>& more) {
  std::vector<std::string> all = {"units",
                                  "activation",
                                  "use_bias",
                                  "kernel_initializer",
                                  "recurrent_initializer",
                                  "bias_initializer",
                                  "kernel_regularizer",
                                  "recurrent_regularizer",
                                  "bias_regularizer",
                                  "kernel_constraint",
                                  "recurrent_constraint",
                                  "bias_constraint",
                                  "dropout",
                                  "recurrent_dropout",
                                  "seed"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace strata
