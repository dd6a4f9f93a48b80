// SPDX-License-Identifier: Apache-2.0
// Summaries, byte for byte.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/model/functional.h"
#include "core/model/sequential.h"
#include "core/model/session.h"
#include "core/training/model.h"
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

/// A part of it is never called.
class Block : public SubclassedModel {
 public:
  Block() : SubclassedModel(LayerOptions{.name = "block"}) {}
  std::string class_name() const override { return "Block"; }
  Tensor call(const Tensor& x, CallContext&) override { return used_(x); }

 private:
  LayerRef used_ = track(layers::Dense(4, {.name = "used"}));
  LayerRef unused_ = track(layers::Dense(4, {.name = "unused"}));
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

/// A model in a model in a model, and a Sequential after it; as expanded_summaries.py makes it.
std::shared_ptr<Functional> chain() {
  const auto model = [](const Tensor& input, const Tensor& output, const std::string& name) {
    return std::make_shared<Functional>(std::vector{input}, std::vector{output}, LayerOptions{.name = name});
  };
  const Tensor code = Input({4}, {.name = "code"});
  const LayerRef core(model(code, layers::Dense(4, {.name = "mix"})(code), "core"));
  const Tensor start = Input({8}, {.name = "start"});
  const Tensor middle = core(layers::Dense(4, {.activation = "relu", .name = "narrow"})(start));
  const LayerRef inner(model(start, layers::Dropout(0.5, {.name = "drop"})(middle), "inner"));
  const std::vector<SequentialEntry> entries = {Input({4}), layers::Dense(3, {.name = "first"}),
                                                layers::Dense(2, {.name = "second"})};
  const LayerRef head(std::make_shared<SequentialGraph>(entries, LayerOptions{.name = "head"}));
  const Tensor inputs = Input({8}, {.name = "features"});
  return model(inputs, layers::Softmax(-1, {.name = "odds"})(head(inner(inputs))), "chain");
}

/// A model with branches, which is called twice, and a frozen Sequential beside it.
std::shared_ptr<Functional> graph() {
  const Tensor start = Input({6}, {.name = "start"});
  const layers::Dense shared(6, {.name = "shared"});
  const Tensor skip = layers::add({shared(shared(start)), start}, {.name = "skip"});
  const LayerRef inner(
      std::make_shared<Functional>(std::vector{start}, std::vector{skip}, LayerOptions{.name = "inner"}));
  const std::vector<SequentialEntry> entries = {Input({6}, {.name = "row"}), layers::Dense(6, {.name = "first"}),
                                                layers::Dense(6, {.name = "second"})};
  const LayerRef side(std::make_shared<SequentialGraph>(entries, LayerOptions{.name = "side"}));
  side.set_trainable(false);
  const Tensor inputs = Input({6}, {.name = "features"});
  const Tensor sum = layers::add({inner(inner(inputs)), side(inputs)}, {.name = "sum"});
  return std::make_shared<Functional>(std::vector{inputs}, std::vector{layers::Dense(1, {.name = "score"})(sum)},
                                      LayerOptions{.name = "graph"});
}

TEST_F(SummaryTest, ShowsTheLayersOfModelsWithinTheModel) {
  EXPECT_EQ(summary_text(*chain(), {.line_length = 90, .positions = {0.4, 0.8, 1.0}, .expand_nested = true}),
            golden_text("summaries/nested_chain.txt"));
  EXPECT_EQ(summary_text(*graph(), {.line_length = 100, .positions = {40, 60, 72, 100}, .expand_nested = true}),
            golden_text("summaries/nested_graph.txt"));
  const Tensor inputs = Input({4}, {.name = "features"});
  const Functional model({inputs}, {make_model<Block>()(inputs)}, {.name = "subclassed"});
  EXPECT_EQ(summary_text(model, {.line_length = 90, .positions = {0.4, 0.8, 1.0}, .expand_nested = true}),
            golden_text("summaries/nested_subclassed.txt"));
}

TEST_F(SummaryTest, HasColumnsOfAnyWidthOneForTrainableAndARangeOfLayers) {
  SummaryOptions options{.line_length = 100, .positions = {0.4, 0.6, 0.72, 1.0}};
  EXPECT_EQ(summary_text(*graph(), options), golden_text("summaries/nested_closed.txt"));
  options.expand_nested = options.show_trainable = true;
  options.layer_range = {"si", "sum"};
  EXPECT_EQ(summary_text(*graph(), options), golden_text("summaries/nested_trainable.txt"));
  options.layer_range = {"s.*e$", "features"};
  const auto lines = summary_lines(*graph(), options);
  EXPECT_EQ(lines[4].substr(0, 8), "features") << "the order of the two does not count";
  EXPECT_EQ(lines[lines.size() - 6].substr(0, 5), "score");
}

TEST_F(SummaryTest, NestedRowsAreCutWithinTheirFrames) {
  const auto lines = summary_lines(*chain(), {.line_length = 24, .positions = {8, 16, 24}, .expand_nested = true});
  EXPECT_EQ(lines[4], "feature [(None, 0       ");
  EXPECT_EQ(lines[14], "|| code [(None, 0     ||");
  for (const std::string& line : lines) {
    const auto characters = std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; });
    if (line.find(':') == std::string::npos) {
      EXPECT_EQ(characters, 24) << line;
    }
  }
}

TEST_F(SummaryTest, PrintsThroughAFunction) {
  std::vector<std::string> lines;
  const Model model(chain());
  model.summary({.print_fn = [&](const std::string& line) { lines.push_back(line); }});
  EXPECT_EQ(lines, summary_lines(model.graph()));
}

TEST_F(SummaryTest, RefusesOptionsThatDoNotFit) {
  const auto refuses = [](const SummaryOptions& options, const std::string& text) {
    testing::expect_error<ConfigError>([&] { summary_lines(*chain(), options); }, text);
  };
  refuses({.line_length = -1},
          "summary: expected a line_length from 1 to 10000 characters, or 0 for Keras' own. Received: line_length=-1");
  const std::string columns =
      "summary: expected 3 increasing positions, the ends of the columns in characters or as parts of the line of 65 "
      "characters. Received: positions=";
  refuses({.positions = {0.5, 1.0}}, columns + "[0.5, 1.0]");
  refuses({.positions = {40, 30, 65}}, columns + "[40.0, 30.0, 65.0]");
  refuses({.positions = {0, 30, 65}}, columns + "[0.0, 30.0, 65.0]");
  refuses({.layer_range = {"inner"}},
          "layer_range must be a list or tuple of length 2. Received: layer_range = ['inner'] of length 1");
  refuses({.layer_range = {"inner", "outer"}},
          "Passed layer_names do not match the layer names in the model. Received: ['inner', 'outer']");
  try {
    summary_lines(*chain(), {.layer_range = {"inner", "("}});
    ADD_FAILURE() << "expected an error";
  } catch (const ConfigError& error) {
    EXPECT_EQ(std::string(error.what()).find("summary: layer_range holds no regular expression: '(': "), 0u)
        << error.what();
  }
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
