// SPDX-License-Identifier: Apache-2.0
#include "layers/kernel_cell.h"

#include <algorithm>
#include <span>

#include "core/model/config_dialect.h"
#include "layers/seeded_key.h"

namespace strata {
namespace {

bool drops(double rate) { return rate > 0.0 && rate < 1.0; }

/// 0 with probability `rate`, else 1 / (1 - rate); (batch,) + shape.
Tensor dropout_mask(const Tensor& like, const Shape& shape, double rate, Dtype dtype, const RandomKey& key) {
  const Tensor keep = ops::random_bernoulli(key, Shape{like.shape()[0]}.concat(shape), 1.0 - rate);
  return ops::cast(keep, dtype) * (1.0 / (1.0 - rate));
}

/// x times a kernel, gate by gate where each sees x under a mask of its own. `masks` are all alike or one a gate.
template <class Product>
Tensor gate_products(const Tensor& x, const Tensor& kernel, Dim units, std::span<const Tensor> masks, Dim first,
                     Dim last, const Product& product) {
  if (masks.empty() || !masks[0]) return product(x, gate_columns(kernel, units, first, last));
  if (masks.size() == 1) return product(x * masks[0], gate_columns(kernel, units, first, last));
  std::vector<Tensor> parts;
  for (Dim g = first; g < last; ++g) {
    parts.push_back(product(x * masks[static_cast<std::size_t>(g)], gate_columns(kernel, units, g, g + 1)));
  }
  return parts.size() == 1 ? parts[0] : ops::concatenate(parts, -1);
}

}  // namespace

Tensor gate_columns(const Tensor& x, Dim units, Dim first, Dim last, int axis) {
  const auto at = static_cast<std::size_t>(axis < 0 ? axis + x.rank() : axis);
  std::vector<Dim> begin(static_cast<std::size_t>(x.rank()), 0), end(begin.size(), None);
  begin[at] = first * units;
  end[at] = last * units;
  return x.shape()[static_cast<int>(at)] == (last - first) * units ? x : ops::slice(x, begin, end);
}

KernelCell::KernelCell(KernelCellArguments arguments, Dim gates, const LayerOptions& layer)
    : Cell(layer), arguments_(std::move(arguments)), gates_(gates) {
  arguments_.dropout = std::clamp(arguments_.dropout, 0.0, 1.0);
  arguments_.recurrent_dropout = std::clamp(arguments_.recurrent_dropout, 0.0, 1.0);
}

Config KernelCell::config() const {
  Config config = size_config();
  config.set("activation", arguments_.activation.config());
  if (arguments_.recurrent_activation) config.set("recurrent_activation", arguments_.recurrent_activation->config());
  config.set("use_bias", arguments_.use_bias)
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
      .set("recurrent_dropout", arguments_.recurrent_dropout);
  const bool takes_seed = ConfigDialectScope::current() == ConfigDialect::keras3;
  return takes_seed ? config.set("seed", arguments_.seed ? Config(*arguments_.seed) : Config()) : config;
}

void KernelCell::build(const Shape& input) {
  const Dim features = checked_features(input), columns = gates_ * arguments_.units;
  kernel_ = add_weight("kernel", kernel_shape(features, columns),
                       {.initializer = arguments_.kernel_initializer,
                        .regularizer = arguments_.kernel_regularizer,
                        .constraint = arguments_.kernel_constraint});
  recurrent_kernel_ = add_weight("recurrent_kernel", kernel_shape(arguments_.units, columns),
                                 {.initializer = arguments_.recurrent_initializer,
                                  .regularizer = arguments_.recurrent_regularizer,
                                  .constraint = arguments_.recurrent_constraint});
  if (!arguments_.use_bias) return;
  bias_ = add_weight("bias", bias_shape(),
                     {.initializer = bias_initializer(),
                      .regularizer = arguments_.bias_regularizer,
                      .constraint = arguments_.bias_constraint});
}

CellStep KernelCell::call(const Tensor& input, const std::vector<Tensor>& states, CallContext& context) {
  const SequenceConstants constants = begin_sequence(input, context);
  return step(project(input, constants), states, constants, context);
}

// First the masks of the input, then those of the state; empty handles where nothing is dropped.
SequenceConstants KernelCell::begin_sequence(const Tensor& input, CallContext& context) {
  if (!context.training() || (!drops(arguments_.dropout) && !drops(arguments_.recurrent_dropout))) return {};
  SequenceConstants constants;
  const auto draw = [&](const Shape& shape, double rate) {
    for (Dim m = 0; m < masks(); ++m) {
      constants.tensors.push_back(
          drops(rate) ? dropout_mask(input, shape, rate, compute_dtype(), seeded_key(context, arguments_.seed))
                      : Tensor());
    }
  };
  draw(input.shape().slice(1, input.rank()), arguments_.dropout);
  draw(state_size().at(0), arguments_.recurrent_dropout);
  return constants;
}

Tensor KernelCell::project(const Tensor& input, const SequenceConstants& constants) {
  const auto all = std::span(constants.tensors);
  const Tensor projected =
      gate_products(input, kernel_, units(), all.first(all.size() / 2), 0, gates_,
                    [&](const Tensor& x, const Tensor& kernel) { return input_product(x, kernel); });
  const Tensor added = input_bias();
  return added ? projected + added : projected;
}

Tensor KernelCell::recurrent_product(const Tensor& state, const SequenceConstants& constants, Dim first,
                                     Dim last) const {
  const auto all = std::span(constants.tensors);
  return gate_products(state, recurrent_kernel_, units(), all.last(all.size() / 2), first, last,
                       [&](const Tensor& h, const Tensor& kernel) { return state_product(h, kernel); });
}

Tensor KernelCell::masked_state(const Tensor& state, const SequenceConstants& constants, Dim gate) const {
  const auto masks_of_state = std::span(constants.tensors).last(constants.tensors.size() / 2);
  if (masks_of_state.empty()) return state;
  const Tensor& mask = masks_of_state[masks_of_state.size() == 1 ? 0 : static_cast<std::size_t>(gate)];
  return mask ? state * mask : state;
}

std::vector<std::string> cell_arguments(const std::vector<std::string>& more) {
  std::vector<std::string> all = {"activation",
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
