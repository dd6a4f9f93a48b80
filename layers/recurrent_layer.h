// SPDX-License-Identifier: Apache-2.0
// Internal to the recurrent layers: the layer that repeats a cell over time, which RNN, LSTM, GRU and the others share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/model/stored_parts.h"
#include "core/model/takes_initial_state.h"
#include "layers/cell.h"
#include "layers/layer_config.h"

namespace strata {

/// What all recurrent layers can be told, under Keras' names.
struct RecurrentOptions {
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  bool unroll = false;
  bool zero_output_for_mask = false;
};

/// A layer that may keep states between batches.
class KeepsState {
 public:
  virtual ~KeepsState() = default;
  /// Sets the states to zero. Nothing to do for a layer that is not stateful, or not built.
  virtual void reset_state() const = 0;
};

class RecurrentLayer : public Layer, public KeepsState, public TakesInitialState, public HasStoredParts {
 public:
  /// `rank` of the input, 0 = any from 3.
  RecurrentLayer(LayerRef cell, const RecurrentOptions& options, const LayerOptions& layer, int rank = 0);

  std::string class_name() const override { return "RNN"; }
  Config config() const override;
  void build_many(const std::vector<Shape>& inputs) override;
  /// The sequences (batch, time, features...), then the initial states unless the context has them. Gives the output,
  /// then the last states with return_state.
  std::vector<Tensor> call_many(const std::vector<Tensor>& inputs, CallContext& context) override;
  std::vector<Tensor> compute_mask(const std::vector<Tensor>& inputs, const std::vector<Tensor>& masks,
                                   CallContext& context) override;

  Cell& cell() const { return cell_; }
  const RecurrentOptions& options() const { return options_; }
  /// As Bidirectional does with the layers it wraps.
  void set_zero_output_for_mask(bool zero) { options_.zero_output_for_mask = zero; }
  void reset_state() const override;
  std::vector<StoredPart> stored_parts() const override { return {{"cell", cell_layer_}}; }
  /// What a stateful layer keeps; empty unless built.
  const std::vector<Variable>& states() const { return states_; }

 protected:
  /// The arguments of RecurrentOptions and the activity regularizer.
  Config recurrent_config() const;

 private:
  std::vector<Tensor> initial_state(const std::vector<Tensor>& inputs, const Tensor& first, CallContext& context) const;
  void check_unroll(const Tensor& sequences) const;
  void check_batch(const Tensor& sequences, const CallContext& context) const;

  LayerRef cell_layer_;
  Cell& cell_;
  RecurrentOptions options_;
  Regularizer activity_regularizer_;
  std::vector<Variable> states_;
};

/// A recurrent layer around a cell of one kind, whose config holds the arguments of both: LSTM, GRU and the like.
class NamedRecurrentLayer final : public RecurrentLayer {
 public:
  NamedRecurrentLayer(std::string class_name, LayerRef cell, const RecurrentOptions& options, const LayerOptions& layer,
                      int rank)
      : RecurrentLayer(std::move(cell), options, layer, rank), class_name_(std::move(class_name)) {}
  std::string class_name() const override { return class_name_; }
  Config config() const override;

 private:
  std::string class_name_;
};

/// The names of recurrent arguments in a config, for LayerConfig, followed by `more`.
std::vector<std::string> recurrent_arguments(const std::vector<std::string>& more);
/// Throws ConfigError when a config has the argument that TF 2 had and Keras 3 has no more.
void refuse_time_major(const LayerConfig& arguments);
/// Reads them into `options`, which has their names as members. TF 2 writes `time_major`: throws ConfigError when true.
template <class Options>
void read_recurrent_arguments(const LayerConfig& arguments, Options& options) {
  refuse_time_major(arguments);
  options.return_sequences = arguments.flag("return_sequences", false);
  options.return_state = arguments.flag("return_state", false);
  options.go_backwards = arguments.flag("go_backwards", false);
  options.stateful = arguments.flag("stateful", false);
  options.unroll = arguments.flag("unroll", false);
  options.zero_output_for_mask = arguments.flag("zero_output_for_mask", false);
}
template <class Options>
RecurrentOptions recurrent_options(const Options& o) {
  return {o.return_sequences, o.return_state, o.go_backwards, o.stateful, o.unroll, o.zero_output_for_mask};
}

/// The layer behind the options of LSTM, GRU and the like.
template <class Options>
std::shared_ptr<Layer> make_named_recurrent(const std::string& class_name, const LayerRef& cell, const Options& o,
                                            int rank = 3) {
  const LayerOptions layer{o.name, o.trainable, o.dtype, o.activity_regularizer};
  return std::make_shared<NamedRecurrentLayer>(class_name, cell, recurrent_options(o), layer, rank);
}

}  // namespace strata
