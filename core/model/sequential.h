// SPDX-License-Identifier: Apache-2.0
// SequentialGraph: what Keras calls Sequential, a graph that is a chain of layers.
#pragma once

#include "core/model/functional.h"

namespace strata {

/// One entry of a Sequential: a layer, or the tensor that Input makes as the first.
class SequentialEntry {
 public:
  SequentialEntry(LayerRef layer) : layer_(std::move(layer)) {}  // NOLINT(google-explicit-constructor): lists of layers
  /// Throws ConfigError unless Input made the tensor.
  SequentialEntry(const Tensor& input);  // NOLINT(google-explicit-constructor)

  const LayerRef& layer() const { return layer_; }
  const Tensor& input() const { return input_; }

 private:
  LayerRef layer_;
  Tensor input_;
};

/// A chain of layers. With an Input as first entry the layers are built at once; without one, when the model is first
/// called (or by ensure_built): its input shape is then that of the call, with any batch size.
///     SequentialGraph({Input({784}), layers::Dense(64, {.activation = "relu"}), layers::Dense(10)})
class SequentialGraph final : public Functional {
 public:
  explicit SequentialGraph(const std::vector<SequentialEntry>& entries = {}, LayerOptions options = {});

  std::string class_name() const override { return "Sequential"; }
  /// {"layers"}: class name and config of the InputLayer, if there is one, and of every layer.
  Config config() const override;
  void build_specs(const std::vector<TensorSpec>& inputs) override;
  /// Like those of Functional, but throw ConfigError before the model is built.
  std::vector<Variable> weights() const override;
  std::vector<Variable> trainable_weights() const override;
  std::vector<Variable> non_trainable_weights() const override;
  /// Known before the model is built: a chain has one output.
  std::vector<std::string> output_names() const override;

  /// Throws ConfigError when the layer has several outputs or a name in use, or for an Input that is not the first.
  void add(const SequentialEntry& entry);
  /// Removes the last layer. Throws ConfigError when there is none.
  void pop();

 private:
  void append(const SequentialEntry& entry);
  void extend(const LayerRef& layer);
  void rebuild_graph();
  void check_built() const;

  std::vector<LayerRef> chain_;
  std::vector<Tensor> tensors_;  // the input and the output of every layer so far; empty before the input is known
};

}  // namespace strata
