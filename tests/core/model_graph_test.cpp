// SPDX-License-Identifier: Apache-2.0
// The graph of layers: order, sharing, nesting, and the errors while defining it.
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/model/functional.h"
#include "core/model/session.h"
#include "layers/layers.h"
#include "tests/support/expect_error.h"

namespace strata {
namespace {

using testing::expect_error;

class ModelGraphTest : public ::testing::Test {
 protected:
  std::shared_ptr<Functional> model(std::vector<Tensor> inputs, std::vector<Tensor> outputs,
                                    const std::string& name = "") {
    return std::make_shared<Functional>(std::move(inputs), std::move(outputs), LayerOptions{.name = name});
  }

  Session session_;
  SessionScope scope_{session_};
};

std::vector<std::string> names(const std::vector<LayerRef>& layers) {
  std::vector<std::string> result;
  for (const LayerRef& layer : layers) result.push_back(layer.name());
  return result;
}

using Names = std::vector<std::string>;

TEST_F(ModelGraphTest, OrdersTheLayersOfTheTicketModelAsKerasDoes) {
  const Tensor title = Input({10}, {.name = "title"});
  const Tensor body = Input({100}, {.name = "body"});
  const Tensor tags = Input({12}, {.name = "tags"});
  const Tensor title_embedded = layers::Dense(64, {.name = "embedding"})(title);
  const Tensor body_embedded = layers::Dense(64, {.name = "embedding_1"})(body);
  const Tensor title_features = layers::Dense(128, {.name = "lstm"})(title_embedded);
  const Tensor body_features = layers::Dense(32, {.name = "lstm_1"})(body_embedded);
  const Tensor x = layers::concatenate({title_features, body_features, tags});
  const Tensor priority = layers::Dense(1, {.name = "priority"})(x);
  const Tensor department = layers::Dense(4, {.name = "department"})(x);
  const auto tickets = model({title, body, tags}, {priority, department});
  EXPECT_EQ(names(tickets->layers()), (Names{"title", "body", "embedding", "embedding_1", "lstm", "lstm_1", "tags",
                                             "concatenate", "priority", "department"}));
  EXPECT_EQ(x.shape(), (Shape{None, 172}));
  EXPECT_EQ(tickets->input_names(), (Names{"title", "body", "tags"}));
  EXPECT_EQ(tickets->output_names(), (Names{"priority", "department"}));
}

TEST_F(ModelGraphTest, OrdersSharedLayersByTheirDeepestCall) {
  const Tensor a = Input({4}, {.name = "a"});
  const Tensor b = Input({4}, {.name = "b"});
  const layers::Dense shared(4, {.name = "shared"});
  const Tensor deep = layers::Dense(4, {.name = "second"})(layers::Dense(4, {.name = "first"})(shared(a)));
  const auto net = model({b, a}, {layers::add({shared(b), deep}, {.name = "sum"})});
  EXPECT_EQ(names(net->layers()), (Names{"b", "a", "shared", "first", "second", "sum"}));
  Names executed;
  for (const ModelNode& call : net->model_nodes()) executed.push_back(call.layer.name() + std::to_string(call.call));
  EXPECT_EQ(executed, (Names{"a0", "b0", "shared1", "shared0", "first0", "second0", "sum0"}));
}

TEST_F(ModelGraphTest, KeepsInputsThatNoOutputNeedsAndOutputsThatAreInputs) {
  const Tensor a = Input({2}, {.name = "a"});
  const Tensor unused = Input({3}, {.name = "unused"});
  const auto net = model({unused, a}, {a, layers::Dense(1, {.name = "d"})(a), a});
  EXPECT_EQ(names(net->layers()), (Names{"a", "unused", "d"}));
  EXPECT_EQ(net->output_names(), (Names{"a", "d", "a_1"}));
  const auto y = LayerRef(net).call({ops::zeros({2, 3}), constant({1.f, 2.f, 3.f, 4.f}, {2, 2})});
  EXPECT_EQ(y[0].to_vector<float>(), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(y[2].to_vector<float>(), (std::vector<float>{1, 2, 3, 4}));
}

TEST_F(ModelGraphTest, SharesLayersAndWeightsBetweenModelsOnOneGraph) {
  const Tensor input = Input({8});
  const Tensor code = layers::Dense(2)(input);
  const auto encoder = model({input}, {code}, "encoder");
  const auto autoencoder = model({input}, {layers::Dense(8)(code)}, "autoencoder");
  EXPECT_EQ(autoencoder->layers()[1], encoder->layers()[1]);
  EXPECT_EQ(encoder->count_params(), 18);
  EXPECT_EQ(autoencoder->count_params(), 18 + 24);
  const Tensor x = ops::ones({1, 8});
  const auto before = LayerRef(autoencoder)(x).to_vector<float>();
  encoder->weights()[0].assign(ops::zeros({8, 2}));
  EXPECT_NE(LayerRef(autoencoder)(x).to_vector<float>(), before);
}

TEST_F(ModelGraphTest, CallsModelsAsLayers) {
  const auto make = [&] {
    const Tensor input = Input({128});
    return LayerRef(model({input}, {layers::Dense(1)(input)}));
  };
  const LayerRef a = make(), b = make(), c = make();
  const Tensor input = Input({128});
  const auto ensemble = model({input}, {layers::average({a(input), b(input), c(input)})});
  EXPECT_EQ(names(ensemble->layers()), (Names{"input_4", "model", "model_1", "model_2", "average"}));
  EXPECT_EQ(ensemble->name(), "model_3");
  EXPECT_EQ(ensemble->count_params(), 3 * 129);
  EXPECT_EQ(ensemble->model_nodes()[1].call, 1) << "a model's own construction is its call 0";
  const Tensor x = ops::ones({2, 128});
  const float mean = (a(x).to_vector<float>()[0] + b(x).to_vector<float>()[0] + c(x).to_vector<float>()[0]) / 3;
  EXPECT_NEAR(LayerRef(ensemble)(x).to_vector<float>()[0], mean, 1e-6);
  EXPECT_EQ(a.output().shape(), (Shape{None, 1}));
  EXPECT_TRUE(a.get_output_at(1).same_as(ensemble->layers()[4].get_inputs_at(0)[0]));
}

TEST_F(ModelGraphTest, FindsOutputsByCall) {
  const layers::Dense shared(3);
  expect_error<ConfigError>([&] { shared.output(); }, "Layer dense has no inbound nodes.");
  expect_error<ConfigError>([&] { shared.input(); }, "Layer dense is not connected, no input to return.");
  expect_error<ConfigError>([&] { shared.get_output_at(0); },
                            "The layer has never been called and thus has no defined output.");
  expect_error<ConfigError>([&] { shared.output_shape(); },
                            "The layer has never been called and thus has no defined output shape.");
  const Tensor a = Input({2}), b = Input({2});
  const Tensor first = shared(a), second = shared(b);
  EXPECT_TRUE(shared.output().same_as(first));
  EXPECT_TRUE(shared.get_output_at(1).same_as(second));
  EXPECT_TRUE(shared.get_input_at(1).same_as(b));
  EXPECT_EQ(shared.output_shape(), (Shape{None, 3}));
  expect_error<ConfigError>([&] { shared.get_output_at(2); },
                            "Asked to get output at node 2, but the layer has only 2 inbound nodes.");
  const Tensor batch = Input({2}, {.batch_size = 16});
  const Tensor third = shared(batch);
  expect_error<ConfigError>(
      [&] { shared.output_shape(); },
      "The layer \"dense\" has multiple inbound nodes, with different output shapes. Hence the "
      "notion of \"output shape\" is ill-defined for the layer. Use `get_output_at(node).shape()` "
      "instead.");
}

TEST_F(ModelGraphTest, FindsLayersByNameAndIndex) {
  const Tensor input = Input({2});
  const auto net = model({input}, {layers::Dense(1)(input)});
  EXPECT_EQ(net->get_layer("dense"), net->layers()[1]);
  EXPECT_EQ(net->get_layer(-1), net->layers()[1]);
  expect_error<ConfigError>([&] { net->get_layer("dense_9"); }, "No such layer: dense_9");
  expect_error<ConfigError>([&] { net->get_layer(""); }, "Provide either a layer name or layer index.");
  expect_error<ConfigError>([&] { net->get_layer(2); },
                            "Was asked to retrieve layer at index 2 but model only has 2 layers.");
}

TEST_F(ModelGraphTest, RefusesDisconnectedGraphs) {
  const Tensor a = Input({2}, {.name = "a"}), b = Input({2}, {.name = "b"});
  const Tensor x = layers::Dense(2, {.name = "x"})(a);
  const Tensor y = layers::add({x, b}, {.name = "y"});
  expect_error<GraphError>([&] { model({a}, {y}); },
                           "Graph disconnected: cannot obtain value for tensor Tensor(\"b:0\", shape=(None, 2), "
                           "dtype=float32) at layer \"b\". The following previous layers were accessed without issue: "
                           "['a', 'x']");
  expect_error<GraphError>(
      [&] { model({b}, {y}); },
      "Graph disconnected: cannot obtain value for tensor Tensor(\"a:0\", shape=(None, 2), "
      "dtype=float32) at layer \"a\". The following previous layers were accessed without issue: []");
}

TEST_F(ModelGraphTest, RefusesNamesUsedTwice) {
  const Tensor input = Input({2});
  const Tensor x = layers::Dense(2, {.name = "same"})(input);
  const Tensor y = layers::Dense(2, {.name = "same"})(x);
  expect_error<GraphError>([&] { model({input}, {y}); },
                           "The name \"same\" is used 2 times in the model. All layer names should be unique.");
}

TEST_F(ModelGraphTest, RefusesUnsuitableInputsAndOutputs) {
  const Tensor a = Input({2}), b = Input({3}, {.batch_size = 16}), c = Input({3}, {.batch_size = 8});
  const Tensor x = layers::Dense(2)(a);
  expect_error<GraphError>(
      [&] {
        model({a, a}, {x});
      },
      "The list of inputs passed to the model is redundant. All inputs should only appear once. "
      "Found: [Tensor(\"input_1:0\", shape=(None, 2), dtype=float32), Tensor(\"input_1:0\", "
      "shape=(None, 2), dtype=float32)]");
  expect_error<GraphError>(
      [&] {
        model({constant({0.f, 0.f}, {1, 2})}, {x});
      },
      "Input tensors to a Model must come from `tf.keras.Input`. Received: Tensor(\"constant:0\", "
      "shape=(1, 2), dtype=float32) (missing previous layer metadata).");
  expect_error<GraphError>(
      [&] { model({x}, {layers::Dense(1)(x)}); },
      "Input tensors to a Model must come from `tf.keras.Input`, they cannot be the output of another "
      "layer. Received: Tensor(\"dense:0\", shape=(None, 2), dtype=float32), generated by layer dense.");
  expect_error<GraphError>(
      [&] { model({a}, {x + x}); },
      "Output tensors to a Model must be the output of a TensorFlow `Layer` (thus holding past layer "
      "metadata). Found: Tensor(\"add:0\", shape=(None, 2), dtype=float32)");
  expect_error<GraphError>(
      [&] {
        model({a, b, c}, {x});
      },
      "The specified batch sizes of the Input Layers are incompatible. Found batch sizes: [None, 16, "
      "8]");
  expect_error<GraphError>([&] { model({a}, {}); },
                           "A model needs inputs and outputs. Received 1 inputs and 0 outputs.");
}

TEST_F(ModelGraphTest, RefusesOpsBetweenLayers) {
  const Tensor input = Input({2});
  expect_error<GraphError>(
      [&] { layers::Dense(1)(input * 2.0); },
      "Layer dense was called on symbolic tensors, all of which must come from Input or from a layer. "
      "Received: [Tensor(\"multiply:0\", shape=(None, 2), dtype=float32)]. Ops between layers belong "
      "into a layer.");
}

TEST_F(ModelGraphTest, ChecksWhatAModelIsCalledOn) {
  const Tensor a = Input({2}), b = Input({3});
  const LayerRef net(model({a, b}, {layers::concatenate({a, b})}));
  const Tensor two = constant({0.f, 0.f}, {1, 2}), three = ops::zeros({1, 3});
  expect_error<ConfigError>([&] { net(two); },
                            "Layer model expects 2 inputs, but it received 1 input tensors. Inputs received: "
                            "[Tensor(\"constant:0\", shape=(1, 2), dtype=float32)]");
  expect_error<ShapeError>(
      [&] {
        net({three, three});
      },
      "Input 0 is incompatible with layer model: expected shape=(None, 2), found shape=[1, 3]");
  EXPECT_EQ(net({two, three}).shape(), (Shape{1, 5}));
}

TEST_F(ModelGraphTest, CastsInputsToTheDtypeOfTheModel) {
  const Tensor input = Input({2});
  const LayerRef net(model({input}, {layers::Activation("relu")(input)}));
  EXPECT_EQ(net(constant<std::uint8_t>({3, 4}, {1, 2})).to_vector<float>(), (std::vector<float>{3, 4}));
}

TEST_F(ModelGraphTest, FreezesWeights) {
  const Tensor input = Input({2});
  const layers::Dense first(3), second(4);
  const auto net = model({input}, {second(first(input))});
  EXPECT_EQ(net->trainable_weights().size(), 4u);
  first.set_trainable(false);
  EXPECT_EQ(net->trainable_weights(), second.weights());
  EXPECT_EQ(net->non_trainable_weights(), first.weights());
  net->set_trainable(false);
  EXPECT_TRUE(net->trainable_weights().empty());
  EXPECT_EQ(net->non_trainable_weights(), net->weights());
  EXPECT_FALSE(second.trainable());
  second.set_trainable(true);
  EXPECT_TRUE(net->trainable_weights().empty()) << "a frozen model freezes its layers, whatever they say";
  auto frozen = second.weights();
  for (const Variable& weight : first.weights()) frozen.push_back(weight);
  EXPECT_EQ(net->non_trainable_weights(), frozen) << "first those that would be trained";
  net->set_trainable(true);
  EXPECT_EQ(net->trainable_weights(), net->weights());
  EXPECT_TRUE(first.trainable());
}

TEST_F(ModelGraphTest, BatchSizesAndWholeShapes) {
  EXPECT_EQ(Input({32, 32, 3}).shape(), (Shape{None, 32, 32, 3}));
  EXPECT_EQ(Input({10, 5}, {.batch_size = 16}).shape(), (Shape{16, 10, 5}));
  EXPECT_EQ(Input({.dtype = Dtype::int32, .batch_shape = {16, 10}}).spec(), (TensorSpec{{16, 10}, Dtype::int32}));
  EXPECT_EQ(Input({.batch_shape = {16, 10, 5}}).shape(), (Shape{16, 10, 5}));
  const Shape shape{7, None};
  EXPECT_EQ(Input({.batch_shape = shape}).shape(), shape);
  EXPECT_EQ(Input(shape).shape(), (Shape{None, 7, None}));
  EXPECT_EQ(Input(Shape{}).shape(), Shape{None});
  EXPECT_EQ(Input({None, std::size_t{3}, 2}).shape(), (Shape{None, None, 3, 2}));
  EXPECT_THROW(Input({.name = "x"}), ConfigError);
  EXPECT_THROW(Input({10}, {.batch_shape = {16, 10}}), ConfigError);
}

TEST_F(ModelGraphTest, ALongChainDoesNotUseTheStack) {
  const Tensor input = Input({1});
  Tensor x = input;
  const layers::Activation relu("relu");
  for (int i = 0; i < 10000; ++i) x = i % 2 == 0 ? relu(x) : layers::Activation("linear")(x);
  const auto net = model({input}, {x});
  EXPECT_EQ(net->model_nodes().size(), 10001u);
  EXPECT_EQ(net->layers().size(), 5002u);
  EXPECT_EQ(LayerRef(net)(constant({2.f}, {1, 1})).item<float>(), 2.f);
}

}  // namespace
}  // namespace strata
