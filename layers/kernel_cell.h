// SPDX-License-Identifier: Apache-2.0
// Internal to SimpleRNN, LSTM, GRU and ConvLSTM: cells with one kernel for the input and one for the state, and their
// options.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "layers/activations.h"
#include "layers/cell.h"
#include "layers/layer_config.h"

namespace strata {

/// The arguments that all these cells have, under Keras' names.
struct KernelCellArguments {
  Dim units = 0;  // or filters
  Activation activation = {};
  std::optional<Activation> recurrent_activation = {};  // of cells with gates
  bool use_bias = true;
  Initializer kernel_initializer;
  Initializer recurrent_initializer;
  Initializer bias_initializer;
  Regularizer kernel_regularizer = {};
  Regularizer recurrent_regularizer = {};
  Regularizer bias_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint recurrent_constraint = {};
  Constraint bias_constraint = {};
  double dropout = 0.0;
  double recurrent_dropout = 0.0;
  std::optional<std::int64_t> seed = {};
};

/// kernel (..., in, gates units), recurrent_kernel (..., units, gates units), a bias. A derived cell says what their
/// products are.
///
/// Dropout sets inputs (or states) to zero by a mask that is drawn once a sequence, and scales the others by
/// 1 / (1 - rate). As in Keras 3 each gate has masks of its own once there is recurrent dropout, and a rate of 1 drops
/// nothing.
class KernelCell : public Cell {
 public:
  KernelCell(KernelCellArguments arguments, Dim gates, const LayerOptions& layer);

  Config config() const override;
  void build(const Shape& input) override;
  CellStep call(const Tensor& input, const std::vector<Tensor>& states, CallContext& context) final;
  SequenceConstants begin_sequence(const Tensor& input, CallContext& context) final;
  Tensor project(const Tensor& input, const SequenceConstants& constants) final;

 protected:
  const KernelCellArguments& arguments() const { return arguments_; }
  Dim units() const { return arguments_.units; }
  Tensor activated(const Tensor& x) const { return arguments_.activation(x); }
  Tensor gated(const Tensor& x) const { return (*arguments_.recurrent_activation)(x); }
  Tensor recurrent_kernel() const { return recurrent_kernel_; }
  /// The state times columns of the recurrent kernel, those of gates [first, last), with the masks of dropout.
  Tensor recurrent_product(const Tensor& state, const SequenceConstants& constants, Dim first, Dim last) const;
  Tensor recurrent_product(const Tensor& state, const SequenceConstants& constants) const {
    return recurrent_product(state, constants, 0, gates_);
  }
  /// The state under the mask that gate `gate` sees it with.
  Tensor masked_state(const Tensor& state, const SequenceConstants& constants, Dim gate) const;
  /// The weight, empty without bias.
  Tensor bias() const { return bias_ ? Tensor(bias_) : Tensor(); }

  /// The arguments that say how large the cell is.
  virtual Config size_config() const = 0;
  /// Throws ShapeError when the cell cannot take such an input; else how many features or channels it has.
  virtual Dim checked_features(const Shape& input) = 0;
  /// For `features` inputs and all gates.
  virtual Shape kernel_shape(Dim features, Dim columns) const { return {features, columns}; }
  /// x (..., batch, features...) times a part of the kernel; h (batch, state...) times a part of the recurrent kernel.
  /// The columns are the last axis of the result.
  virtual Tensor input_product(const Tensor& x, const Tensor& kernel) const = 0;
  virtual Tensor state_product(const Tensor& h, const Tensor& kernel) const = 0;
  virtual Shape bias_shape() const { return {gates_ * arguments_.units}; }
  virtual Initializer bias_initializer() const { return arguments_.bias_initializer; }
  /// The part of the bias that is added to the input's product.
  virtual Tensor input_bias() const { return bias(); }
  /// How many masks the input and the state have each.
  virtual Dim masks() const { return arguments_.recurrent_dropout != 0.0 ? gates_ : 1; }

 private:
  KernelCellArguments arguments_;
  Dim gates_;
  Variable kernel_, recurrent_kernel_, bias_;
};

/// Elements [first units, last units) of an axis that holds gates, the last one unless said otherwise.
Tensor gate_columns(const Tensor& x, Dim units, Dim first, Dim last, int axis = -1);

/// The names of these arguments in a config, for LayerConfig, followed by `more`.
std::vector<std::string> cell_arguments(const std::vector<std::string>& more);

/// From the options of a cell or of a recurrent layer.
template <class Options>
KernelCellArguments kernel_cell_arguments(Dim units, const Options& o) {
  KernelCellArguments arguments{.units = units,
                                .activation = o.activation,
                                .use_bias = o.use_bias,
                                .kernel_initializer = o.kernel_initializer,
                                .recurrent_initializer = o.recurrent_initializer,
                                .bias_initializer = o.bias_initializer,
                                .kernel_regularizer = o.kernel_regularizer,
                                .recurrent_regularizer = o.recurrent_regularizer,
                                .bias_regularizer = o.bias_regularizer,
                                .kernel_constraint = o.kernel_constraint,
                                .recurrent_constraint = o.recurrent_constraint,
                                .bias_constraint = o.bias_constraint,
                                .dropout = o.dropout,
                                .recurrent_dropout = o.recurrent_dropout,
                                .seed = o.seed};
  if constexpr (requires { o.recurrent_activation; }) arguments.recurrent_activation = o.recurrent_activation;
  return arguments;
}

/// Reads them, and name, trainable and dtype, into the options of a cell or of a recurrent layer.
template <class Options>
void read_cell_arguments(const LayerConfig& arguments, Options& o) {
  if (arguments.has("activation")) o.activation = Activation::from_config(arguments.get("activation"));
  if constexpr (requires { o.recurrent_activation; }) {
    if (arguments.has("recurrent_activation")) {
      o.recurrent_activation = Activation::from_config(arguments.get("recurrent_activation"));
    }
  }
  o.use_bias = arguments.flag("use_bias", true);
  o.kernel_initializer = arguments.initializer("kernel_initializer", o.kernel_initializer);
  o.recurrent_initializer = arguments.initializer("recurrent_initializer", o.recurrent_initializer);
  o.bias_initializer = arguments.initializer("bias_initializer", o.bias_initializer);
  o.kernel_regularizer = arguments.regularizer("kernel_regularizer");
  o.recurrent_regularizer = arguments.regularizer("recurrent_regularizer");
  o.bias_regularizer = arguments.regularizer("bias_regularizer");
  o.kernel_constraint = arguments.constraint("kernel_constraint");
  o.recurrent_constraint = arguments.constraint("recurrent_constraint");
  o.bias_constraint = arguments.constraint("bias_constraint");
  o.dropout = arguments.number("dropout", 0.0);
  o.recurrent_dropout = arguments.number("recurrent_dropout", 0.0);
  if (arguments.has("seed")) o.seed = arguments.integer("seed");
  const LayerOptions common = arguments.options();
  o.name = common.name;
  o.trainable = common.trainable;
  o.dtype = common.dtype;
  if constexpr (requires { o.activity_regularizer; }) {
    o.activity_regularizer = arguments.regularizer("activity_regularizer");
  }
}

}  // namespace strata
