// SPDX-License-Identifier: Apache-2.0
// Summaries, byte for byte.
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/model/functional.h"
#include "core/model/sequential.h"
#include "core/model/session.h"
#include "layers/layers.h"
#include "tests/support/expect_error.h"
#include "tests/support/golden_text.h"

namespace strata {
namespace {

using testing::golden_text;

class Split : public Layer {
 public:
  std::string class_name() const override { return "Split"; }
  std::vector<Tensor> call_many(const std::vector<Tensor>& inputs, CallContext&) override {
    const Dim half = inputs.at(0).shape().back() / 2;
    return {ops::slice(inputs[0], {0, 0}, {None, half}), ops::slice(inputs[0], {0, half}, {None, None})};
  }
};

class SummaryTest : public ::testing::Test {
  Session session_;
  SessionScope scope_{session_};
};

TEST_F(SummaryTest, TheFirstModelOfTheGuide) {
  const Tensor inputs = Input({784});
  Tensor x = layers::Dense(64, {.activation = "relu"})(inputs);
  x = layers::Dense(64, {.activation = "relu"})(x);
  const Functional model({inputs}, {layers::Dense(10)(x)}, {.name = "mnist_model"});
  EXPECT_EQ(summary_text(model), golden_text("summaries/mnist_model.txt"));
}

TEST_F(SummaryTest, ConnectionsSharedLayersAndSeveralOutputs) {
  const Tensor features = Input({32}, {.name = "features"});
  const Tensor first = layers::Dense(64)(features);
  const Tensor second = layers::Dense(64, {.name = "a_layer_with_quite_a_long_name"})(first);
  const Tensor sum = layers::add({second, first});
  const layers::Dense shared(64, {.name = "shared"});
  const Tensor again = shared(layers::Dropout(0.5)(shared(sum)));
  const Tensor both = layers::concatenate({sum, again});
  const Tensor priority = layers::Dense(1, {.name = "priority"})(both);
  const Tensor mean = layers::average(make_layer<Split>().call({both}));
  shared.set_trainable(false);
  const Functional model({features}, {priority, mean}, {.name = "residual"});
  EXPECT_EQ(summary_text(model), golden_text("summaries/residual.txt"));
}

TEST_F(SummaryTest, ModelsSideBySide) {
  const auto make = [] {
    const Tensor input = Input({128});
    return LayerRef(std::make_shared<Functional>(std::vector{input}, std::vector{layers::Dense(1)(input)}));
  };
  const LayerRef a = make(), b = make(), c = make();
  const Tensor input = Input({128});
  const Functional model({input}, {layers::average({a(input), b(input), c(input)})});
  EXPECT_EQ(summary_text(model), golden_text("summaries/ensemble.txt"));
}

TEST_F(SummaryTest, AChainOfModels) {
  const Tensor original = Input({28, 28, 1}, {.name = "original_img"});
  const Tensor code = layers::Dense(16)(layers::Flatten()(original));
  const LayerRef encoder(
      std::make_shared<Functional>(std::vector{original}, std::vector{code}, LayerOptions{.name = "encoder"}));
  const Tensor encoded = Input({16}, {.name = "encoded_img"});
  const Tensor image = layers::Reshape({28, 28, 1})(layers::Dense(784)(encoded));
  const LayerRef decoder(
      std::make_shared<Functional>(std::vector{encoded}, std::vector{image}, LayerOptions{.name = "decoder"}));
  const Tensor input = Input({28, 28, 1}, {.name = "img"});
  const Functional model({input}, {decoder(encoder(input))}, {.name = "autoencoder"});
  EXPECT_EQ(summary_text(model), golden_text("summaries/autoencoder.txt"));
}

TEST_F(SummaryTest, ASequentialShowsNoInputLayer) {
  SequentialGraph model({Input({28, 28}), layers::Flatten(), layers::Dense(10), layers::Activation("softmax")});
  model.set_trainable(false);
  EXPECT_EQ(summary_text(model), golden_text("summaries/sequential.txt"));
}

TEST_F(SummaryTest, AModelThatIsNotBuiltHasNone) {
  const SequentialGraph model({layers::Dense(10)});
  testing::expect_error<ConfigError>([&] { summary_text(model); },
                                     "This model has not yet been built. Build the model first by calling `build()` or "
                                     "calling `fit()` with some data, "
                                     "or specify an `input_shape` argument in the first layer(s) for automatic build.");
}

TEST_F(SummaryTest, CutsNamesBetweenCharacters) {
  std::string name;
  for (int i = 0; i < 40; ++i) name += "\xC3\xA9";
  const Tensor input = Input({1}, {.name = name});
  const std::string text = summary_text(Functional({input}, {layers::Dense(1)(input)}));
  EXPECT_NE(text.find("\n" + name.substr(0, 2 * 28) + " [(None, 1)]  "), std::string::npos) << text;
}

}  // namespace
}  // namespace strata
