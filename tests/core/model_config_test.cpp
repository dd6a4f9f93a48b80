// SPDX-License-Identifier: Apache-2.0
// The description of models, as Keras writes it.
#include <gtest/gtest.h>

#include "core/model/config_dialect.h"
#include "core/model/functional.h"
#include "core/model/sequential.h"
#include "core/model/session.h"
#include "layers/layers.h"

namespace strata {
namespace {

class ModelConfigTest : public ::testing::Test {
  Session session_;
  SessionScope scope_{session_};
};

TEST_F(ModelConfigTest, AFunctionalModel) {
  const Tensor input = Input({784});
  const Functional model({input}, {layers::Dense(64, {.activation = "relu"})(input)}, {.name = "mnist_model"});
  EXPECT_EQ(
      model.get_config().to_json(),
      R"({"name": "mnist_model", "layers": [{"class_name": "InputLayer", "config": {"batch_input_shape": [null, 784], )"
      R"("dtype": "float32", "sparse": false, "ragged": false, "name": "input_1"}, "name": "input_1", )"
      R"("inbound_nodes": []}, )"
      R"({"class_name": "Dense", "config": {"name": "dense", "trainable": true, "dtype": "float32", "units": 64, )"
      R"("activation": "relu", "use_bias": true, "kernel_initializer": {"class_name": "GlorotUniform", "config": )"
      R"({"seed": null}}, "bias_initializer": {"class_name": "Zeros", "config": {}}, "kernel_regularizer": null, )"
      R"("bias_regularizer": null, "activity_regularizer": null, "kernel_constraint": null, "bias_constraint": null}, )"
      R"("name": "dense", "inbound_nodes": [[["input_1", 0, 0, {}]]]}], "input_layers": [["input_1", 0, 0]], )"
      R"("output_layers": [["dense", 0, 0]]})");
}

Config entry(const Functional& model, const std::string& layer) {
  const Config config = model.config();
  for (const Config& candidate : config.at("layers").as_list()) {
    if (candidate.at("name").as_string() == layer) return candidate;
  }
  return {};
}

TEST_F(ModelConfigTest, CallsAreNumberedWithinTheModel) {
  const Tensor outside = Input({4}), a = Input({4}, {.name = "a"}), b = Input({4}, {.name = "b"});
  const layers::Dense shared(4, {.name = "shared"});
  const Tensor elsewhere = shared(outside);
  const Tensor sum = layers::add({shared(b), layers::Dropout(0.5)(shared(a), {.training = true})});
  const Functional model({a, b}, {sum});
  EXPECT_EQ(entry(model, "shared").at("inbound_nodes").to_json(), R"([[["b", 0, 0, {}]], [["a", 0, 0, {}]]])");
  EXPECT_EQ(entry(model, "dropout").at("inbound_nodes").to_json(), R"([[["shared", 1, 0, {"training": true}]]])");
  EXPECT_EQ(entry(model, "add").at("inbound_nodes").to_json(), R"([[["shared", 0, 0, {}], ["dropout", 0, 0, {}]]])");
}

TEST_F(ModelConfigTest, ANestedModelsFirstCallIsNumberOneInTensorFlow2) {
  const ConfigDialectScope dialect(ConfigDialect::keras2);
  const Tensor inner = Input({4});
  const LayerRef encoder(std::make_shared<Functional>(std::vector{inner}, std::vector{layers::Dense(2)(inner)},
                                                      LayerOptions{.name = "encoder"}));
  const Tensor input = Input({4}, {.name = "img"});
  const Functional model({input}, {layers::Dense(1, {.name = "head"})(encoder(input)), encoder(input)});
  EXPECT_EQ(entry(model, "encoder").at("class_name").as_string(), "Model");
  EXPECT_EQ(entry(model, "encoder").at("inbound_nodes").to_json(), R"([[["img", 0, 0, {}]], [["img", 0, 0, {}]]])");
  EXPECT_EQ(entry(model, "encoder").at("config").at("output_layers").to_json(), R"([["dense", 0, 0]])");
  EXPECT_EQ(entry(model, "head").at("inbound_nodes").to_json(), R"([[["encoder", 1, 0, {}]]])");
  EXPECT_EQ(model.config().at("output_layers").to_json(), R"([["head", 0, 0], ["encoder", 2, 0]])");
}

TEST_F(ModelConfigTest, ANestedModelsFirstCallIsNumberZeroInKeras3) {
  const Tensor inner = Input({4});
  const LayerRef encoder(std::make_shared<Functional>(std::vector{inner}, std::vector{layers::Dense(2)(inner)},
                                                      LayerOptions{.name = "encoder"}));
  const Tensor input = Input({4}, {.name = "img"});
  const Functional model({input}, {layers::Dense(1, {.name = "head"})(encoder(input)), encoder(input)});
  EXPECT_EQ(entry(model, "encoder").at("inbound_nodes").to_json(), R"([[["img", 0, 0, {}]], [["img", 0, 0, {}]]])");
  EXPECT_EQ(entry(model, "head").at("inbound_nodes").to_json(),
            R"([{"args": [{"class_name": "__keras_tensor__", "config": {"shape": [null, 2], "dtype": "float32", )"
            R"("keras_history": ["encoder", 0, 0]}}], "kwargs": {}}])");
  EXPECT_EQ(model.config().at("output_layers").to_json(), R"([["head", 0, 0], ["encoder", 2, 0]])");
}

TEST_F(ModelConfigTest, ASequentialListsItsInputLayer) {
  const SequentialGraph model({Input({4}, {.name = "x"}), layers::Activation("relu")});
  EXPECT_EQ(
      model.get_config().to_json(),
      R"({"name": "sequential", "layers": [{"class_name": "InputLayer", "config": {"batch_input_shape": [null, 4], )"
      R"("dtype": "float32", "sparse": false, "ragged": false, "name": "x"}}, {"class_name": "Activation", "config": )"
      R"({"name": "activation", "trainable": true, "dtype": "float32", "activation": "relu"}}]})");
}

}  // namespace
}  // namespace strata
