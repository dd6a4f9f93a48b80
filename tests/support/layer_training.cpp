// SPDX-License-Identifier: Apache-2.0
#include "tests/support/layer_training.h"

#include "core/model/session.h"
#include "core/training/model.h"
#include "tests/support/ranks.h"

namespace strata::testing {
namespace {

/// y = x scale: gives every layer something in front of it to train.
class Scale final : public Layer {
 public:
  using Layer::Layer;
  std::string class_name() const override { return "Scale"; }
  void build(const Shape& input) override {
    scale_ = add_weight("scale", input.slice(1, input.rank()), {.initializer = "ones"});
  }
  Tensor call(const Tensor& input, CallContext&) override { return input * scale_; }

 private:
  Variable scale_;
};

std::vector<float> train(const LayerRef& layer, const std::vector<Shape>& shapes, Communicator& communicator,
                         Dim blocks) {
  const auto draw = [](const Shape& shape, std::uint64_t stream) {
    return ops::random_uniform({constant<std::int64_t>({4, 0, 0}, {3}), stream}, shape.with(0, 7), -1.0, 1.0);
  };
  std::vector<Tensor> inputs, scaled, x, y;
  for (const Shape& shape : shapes) {
    inputs.push_back(Input({.batch_shape = shape.with(0, None)}));
    scaled.push_back(make_layer<Scale>()(inputs.back()));
    x.push_back(draw(shape, x.size()));
  }
  const std::vector<Tensor> outputs = layer.call(scaled);
  for (const Tensor& output : outputs) y.push_back(draw(output.shape(), 100 + y.size()));
  Model model(inputs, outputs);
  model.compile({.optimizer = optimizers::SGD({.learning_rate = 0.1}),
                 .loss = losses::MeanSquaredError(),
                 .communicator = std::shared_ptr<Communicator>(&communicator, [](Communicator*) {})});
  std::vector<float> values;
  for (int step = 0; step < 3; ++step) {
    for (const double loss : model.train_on_batch(x, y, {.blocks = blocks})) values.push_back(static_cast<float>(loss));
  }
  for (const Variable& weight : model.weights()) {
    for (const float value : ops::cast(weight, Dtype::float32).to_vector<float>()) values.push_back(value);
  }
  return values;
}

}  // namespace

std::vector<float> train_layer(const std::function<LayerRef()>& make, const std::vector<Shape>& inputs, int ranks,
                               Dim blocks) {
  std::vector<float> values;
  run_ranks(ranks, [&](Communicator& communicator) {
    Session::current().set_seed(3);
    const std::vector<float> own = train(make(), inputs, communicator, blocks);
    if (communicator.rank() == 0) values = own;
  });
  return values;
}

}  // namespace strata::testing
