// SPDX-License-Identifier: Apache-2.0
// The guide's comparison: one MLP as a functional model and as a subclassed one.
#include "common/example.h"

using namespace strata;

class MLP : public SubclassedModel {
 public:
  std::string class_name() const override { return "MLP"; }
  Tensor call(const Tensor& inputs, CallContext&) override { return dense_2_(dense_1_(inputs)); }

 private:
  LayerRef dense_1_ = track(layers::Dense(64, {.activation = "relu"}));
  LayerRef dense_2_ = track(layers::Dense(10));
};

History train(Model& model, const Tensor& x, const Tensor& y, const examples::Example& example) {
  model.compile({.optimizer = example.optimizer(),
                 .loss = losses::SparseCategoricalCrossentropy({.from_logits = true}),
                 .shard_optimizer = example.options().shard_optimizer});
  auto fit = example.fit_options();
  fit.verbose = 0;
  if (!fit.checkpoint.directory.empty()) fit.checkpoint.directory += "/" + model.name();  // there are two models
  return model.fit(x, y, fit);
}

int main(int argc, char** argv) {
  return examples::run(
      argc, argv, "Trains an MLP by subclassing beside the functional one.",
      {.needs_data = false, .batch_size = 32, .optimizer = "adam"}, [](examples::Example& example) {
        auto inputs = Input({32});
        auto x = layers::Dense(64, {.activation = "relu"})(inputs);
        auto outputs = layers::Dense(10)(x);
        Model functional(inputs, outputs);
        example.present(functional);
        if (example.summary_only()) return;
        example.print("functional: " + std::to_string(functional.count_params()) + " params");

        auto mlp = make_model<MLP>();
        example.print("subclassed: " + std::to_string(mlp.weights().size()) + " weights before the first call");
        mlp(ops::zeros({1, 32}));
        example.print("subclassed: " + std::to_string(mlp.weights().size()) + " weights after it");
        mlp.set_weights(functional.get_weights());

        const Tensor data = ops::random_normal({constant<std::int64_t>({1, 0, 0}, {3}), 0}, {320, 32});
        const Tensor labels = ops::argmax(ops::slice(data, {0, 0}, {None, 10}));
        train(functional, data, labels, example);
        const History history = train(mlp, data, labels, example);
        example.print(mlp.weights_hash() == functional.weights_hash() ? "equal weights after training"
                                                                      : "other weights");
        example.report(mlp, history);
      });
}
