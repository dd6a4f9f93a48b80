// SPDX-License-Identifier: Apache-2.0
// The guide's mix of styles: a functional model within a layer of one's own, and that layer within a functional model.
#include "common/example.h"

using namespace strata;

class CustomRNN : public Layer {
 public:
  /// `classifier` is any layer or model; `show` gets the shape of the features.
  CustomRNN(Dim units, const LayerRef& classifier, std::function<void(const Shape&)> show)
      : units_(units), classifier_(track(classifier)), show_(std::move(show)) {}
  std::string class_name() const override { return "CustomRNN"; }

  /// (batch, time, n), batch and time known.
  Tensor call(const Tensor& inputs, CallContext&) override {
    std::vector<Tensor> outputs;
    Tensor state = ops::zeros({inputs.shape()[0], units_});
    for (Dim t = 0; t < inputs.shape()[1]; ++t) {
      const Tensor x = ops::squeeze(ops::slice(inputs, {0, t, 0}, {None, t + 1, None}), {1});
      state = projection_1_(x) + projection_2_(state);
      outputs.push_back(state);
    }
    const Tensor features = ops::stack(outputs, 1);
    show_(features.shape());
    return classifier_(features);
  }

 private:
  Dim units_;
  LayerRef projection_1_ = track(layers::Dense(units_, {.activation = "tanh"}));
  LayerRef projection_2_ = track(layers::Dense(units_, {.activation = "tanh"}));
  LayerRef classifier_;
  std::function<void(const Shape&)> show_;
};

int main(int argc, char** argv) {
  return examples::run(argc, argv, "Runs a recurrent layer written by hand.", {.needs_data = false},
                       [](examples::Example& example) {
                         const Dim units = 32, timesteps = 10, input_dim = 5;
                         const auto print_shape = [&](const Shape& shape) { example.print(shape.str()); };
                         const auto print_params = [&](const LayerRef& layer) {
                           example.print(layer.name() + ": " + std::to_string(layer.count_params()) + " params");
                         };

                         // A functional model within the layer.
                         auto features = Input({None, units});
                         auto pooled = layers::GlobalAveragePooling1D()(features);
                         Model classifier(features, layers::Dense(1)(pooled));
                         const LayerRef rnn = make_layer<CustomRNN>(units, classifier, print_shape);
                         print_shape(rnn(ops::zeros({1, timesteps, input_dim})).shape());
                         print_params(rnn);

                         // The layer within a functional model.
                         const auto quiet = [](const Shape&) {};
                         auto inputs = Input({.batch_shape = {16, timesteps, input_dim}});
                         auto x = layers::Conv1D(32, 3)(inputs);
                         const LayerRef inner = make_layer<CustomRNN>(units, layers::Dense(1), quiet);
                         Model model(inputs, inner(x));
                         example.present(model);
                         for (const LayerRef& layer : model.layers()) print_shape(layer.output_shape());
                         print_params(model.layers()[1]);
                         print_params(inner);

                         // The layer alone.
                         const LayerRef rnn_model = make_layer<CustomRNN>(units, layers::Dense(1), quiet);
                         print_shape(rnn_model(ops::zeros({1, timesteps, input_dim})).shape());
                         example.report(model);
                       });
}
