// SPDX-License-Identifier: Apache-2.0
#include "core/model/sequential.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/model/session.h"
#include "layers/layers.h"
#include "tests/support/expect_error.h"

namespace strata {
namespace {

using testing::expect_error;

class SequentialTest : public ::testing::Test {
  Session session_;
  SessionScope scope_{session_};
};

TEST_F(SequentialTest, IsBuiltAtOnceWithAnInput) {
  const SequentialGraph model({Input({4}), layers::Dense(3), layers::Dense(2)});
  EXPECT_TRUE(model.built());
  EXPECT_EQ(model.outputs()[0].shape(), (Shape{None, 2}));
  EXPECT_EQ(model.weights().size(), 4u);
  EXPECT_EQ(model.layers().size(), 2u);
  EXPECT_EQ(model.get_layer(0).name(), "dense");
  EXPECT_EQ(model.name(), "sequential");
}

TEST_F(SequentialTest, IsBuiltByItsFirstCallWithoutOne) {
  const auto model =
      std::make_shared<SequentialGraph>(std::vector<SequentialEntry>{layers::Dense(3), layers::Dense(2)});
  EXPECT_FALSE(model->built());
  expect_error<ConfigError>(
      [&] { model->weights(); },
      "Weights for model sequential have not yet been created. Weights are created when the Model "
      "is first called on inputs or `build()` is called with an `input_shape`.");
  EXPECT_EQ(LayerRef(model)(ops::ones({5, 4})).shape(), (Shape{5, 2}));
  EXPECT_EQ(model->weights().size(), 4u);
  EXPECT_EQ(model->inputs()[0].shape(), (Shape{None, 4}));
  EXPECT_EQ(model->input_names()[0], "dense_input");
  EXPECT_EQ(LayerRef(model)(ops::ones({7, 4})).shape(), (Shape{7, 2}));
}

TEST_F(SequentialTest, TakesTheDtypeOfItsFirstInput) {
  const auto model = std::make_shared<SequentialGraph>(std::vector<SequentialEntry>{layers::Flatten()});
  EXPECT_EQ(LayerRef(model)(ops::zeros({2, 3, 4}, Dtype::int32)).spec(), (TensorSpec{{2, 12}, Dtype::int32}));
}

TEST_F(SequentialTest, GrowsAndShrinks) {
  SequentialGraph model({Input({4})});
  EXPECT_FALSE(model.built());
  model.add(layers::Dense(3));
  model.add(layers::Dense(2));
  EXPECT_EQ(model.outputs()[0].shape(), (Shape{None, 2}));
  model.pop();
  EXPECT_EQ(model.outputs()[0].shape(), (Shape{None, 3}));
  EXPECT_EQ(model.layers().size(), 1u);
  model.pop();
  EXPECT_FALSE(model.built());
  expect_error<ConfigError>([&] { model.pop(); }, "There are no layers in the model.");
}

TEST_F(SequentialTest, IsALayer) {
  const LayerRef inner(
      std::make_shared<SequentialGraph>(std::vector<SequentialEntry>{layers::Dense(3), layers::Dense(2)}));
  const Tensor input = Input({4});
  const Functional model({input}, {inner(input)});
  EXPECT_EQ(model.weights().size(), 4u);
  EXPECT_EQ(model.outputs()[0].shape(), (Shape{None, 2}));
}

TEST_F(SequentialTest, RefusesWhatIsNotAChain) {
  expect_error<ConfigError>(
      [&] {
        SequentialGraph({layers::Dense(1), Input({2})});
      },
      "Sequential: an Input must come first. Received: Tensor(\"input_1:0\", shape=(None, 2), "
      "dtype=float32)");
  const layers::Dense twice(4);
  expect_error<ConfigError>(
      [&] {
        SequentialGraph({twice, twice});
      },
      "All layers added to a Sequential model should have unique names. Name \"dense_1\" is already "
      "the name of a layer in this model. Update the `name` argument to pass a unique name.");
  const LayerRef empty(std::make_shared<SequentialGraph>());
  expect_error<ConfigError>([&] { empty(ops::zeros({1, 1})); }, "Sequential model sequential has no layers.");
}

}  // namespace
}  // namespace strata
