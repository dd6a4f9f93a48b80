// SPDX-License-Identifier: Apache-2.0
// SubclassedModel: a model whose function is the body of call(), as in Keras when one derives from Model.
#pragma once

#include "core/model/functional.h"

namespace strata {

/// What a user derives from to write a model of one's own, which make_model<MyModel>(...) turns into a Model:
///     class MLP : public SubclassedModel {
///      public:
///       explicit MLP(Dim classes) : classifier_(track(layers::Dense(classes))) {}
///       std::string class_name() const override { return "MLP"; }
///       Tensor call(const Tensor& x, CallContext&) override { return classifier_(hidden_(x)); }
///      ...
/// It is a layer: it may lie within other models and layers, and have them within itself. Its weights exist after its
/// first call. It is saved as part of other models when it overrides config() (and its class is registered), not alone.
/// Members other than call() may call its layers, too: eagerly, or on the tensors of a functional model.
class SubclassedModel : public Layer {
 public:
  using Layer::Layer;

  /// Throws ConfigError unless the class says what its constructor takes.
  Config config() const override;
  /// Own weights, then those of one layer after the other, as Keras' models have them.
  std::vector<Variable> weights() const override;
};

/// What trains a subclassed model: traces call() for the data it is given.
class SubclassedGraph final : public Functional {
 public:
  explicit SubclassedGraph(std::shared_ptr<Layer> model);

  std::string class_name() const override { return model_->class_name(); }
  Config config() const override { return model_->config(); }
  Config get_config() const override { return model_->get_config(); }
  /// Makes inputs with any batch size for them, and finds the outputs.
  void build_specs(const std::vector<TensorSpec>& inputs) override;
  /// Data of other shapes than before is as welcome.
  void prepare_for(const std::vector<TensorSpec>& inputs) override;
  bool built() const override { return model_->built(); }
  std::vector<Tensor> call_many(const std::vector<Tensor>& inputs, CallContext& context) override;

  void set_trainable(bool trainable) override { model_->set_trainable(trainable); }
  std::vector<Variable> weights() const override { return model_->weights(); }
  std::vector<Variable> trainable_weights() const override { return model_->trainable_weights(); }
  std::vector<Variable> non_trainable_weights() const override { return model_->non_trainable_weights(); }
  std::vector<LayerRef> sublayers() const override { return {LayerRef(model_)}; }
  /// Those that the model tracks, in order.
  const std::vector<LayerRef>& layers() const override;
  /// "output_1", "output_2", ...; none before the model is built.
  std::vector<std::string> output_names() const override;

 private:
  std::shared_ptr<Layer> model_;
  mutable std::vector<LayerRef> layers_;  // as they were when last asked for
};

}  // namespace strata
