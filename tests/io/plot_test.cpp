// SPDX-License-Identifier: Apache-2.0
// The text that pictures of models are drawn from.
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "core/base/error.h"
#include "core/model/session.h"
#include "io/plots/plot_model.h"
#include "layers/layers.h"
#include "tests/support/expect_error.h"

namespace strata {
namespace {

using testing::expect_error;
using Lines = std::multiset<std::string>;

/// What `pattern` captures, wherever it is found.
Lines found(const std::string& text, const std::string& pattern) {
  Lines all;
  const std::regex expression(pattern);
  for (std::sregex_iterator match(text.begin(), text.end(), expression), end; match != end; ++match) {
    all.insert((*match)[1]);
  }
  return all;
}

/// "a -> b" for every arrow.
Lines arrows(const std::string& dot) {
  Lines all;
  for (const std::string& arrow : found(dot, R"re(("[^"]*" -> "[^"]*");)re")) {
    all.insert(std::regex_replace(arrow, std::regex("\""), ""));
  }
  return all;
}

Lines boxes(const std::string& dot) { return found(dot, R"re("([^"]*)" \[label=)re"); }

class PlotTest : public ::testing::Test {
 protected:
  static Model perceptron() {
    const Tensor inputs = Input({784});
    Tensor x = layers::Dense(64, {.activation = "relu"})(inputs);
    x = layers::Dense(64, {.activation = "relu"})(x);
    return {inputs, layers::Dense(10)(x), "mnist_model"};
  }
  Session session_;
  SessionScope scope_{session_};
};

TEST_F(PlotTest, AChainOfLayers) {
  EXPECT_EQ(model_to_dot(perceptron().graph()),
            "digraph G {\n"
            "  rankdir=TB;\n"
            "  concentrate=true;\n"
            "  dpi=96;\n"
            "  node [shape=record];\n"
            "  \"input_1\" [label=\"input_1: InputLayer\"];\n"
            "  \"dense\" [label=\"dense: Dense\"];\n"
            "  \"dense_1\" [label=\"dense_1: Dense\"];\n"
            "  \"dense_2\" [label=\"dense_2: Dense\"];\n"
            "  \"input_1\" -> \"dense\";\n"
            "  \"dense\" -> \"dense_1\";\n"
            "  \"dense_1\" -> \"dense_2\";\n"
            "}\n");
}

TEST_F(PlotTest, LabelsWithShapesAndDtypes) {
  const Model model = perceptron();
  const std::string shapes = model_to_dot(model.graph(), {.show_shapes = true, .rankdir = "LR", .dpi = 48});
  EXPECT_NE(shapes.find(R"([label="input_1: InputLayer\n|{input:|output:}|{{[(?, 784)]}|{[(?, 784)]}}"];)"),
            std::string::npos)
      << shapes;
  EXPECT_NE(shapes.find(R"([label="dense: Dense\n|{input:|output:}|{{(?, 784)}|{(?, 64)}}"];)"), std::string::npos);
  EXPECT_NE(shapes.find("rankdir=LR;"), std::string::npos);
  EXPECT_NE(shapes.find("dpi=48;"), std::string::npos);
  const std::string dtypes = model_to_dot(model.graph(), {.show_dtype = true, .show_layer_names = false});
  EXPECT_EQ(found(dtypes, "label=\"([^\"]*)\""),
            (Lines{"InputLayer|float32", "Dense|float32", "Dense|float32", "Dense|float32"}));
}

TEST_F(PlotTest, SeveralInputsAndOutputs) {
  const Tensor title = Input({None}, {.name = "title"}), body = Input({None}, {.name = "body"});
  const Tensor tags = Input({12}, {.name = "tags"});
  const Tensor title_features = layers::LSTM(8)(layers::Embedding(100, 4)(title));
  const Tensor body_features = layers::LSTM(4)(layers::Embedding(100, 4)(body));
  const Tensor x = layers::concatenate({title_features, body_features, tags});
  const Tensor priority = layers::Dense(1, {.name = "priority"})(x);
  const Tensor department = layers::Dense(4, {.name = "department"})(x);
  const Model model({title, body, tags}, {priority, department});
  const std::string dot = model_to_dot(model.graph(), {.show_shapes = true});
  EXPECT_EQ(boxes(dot), (Lines{"title", "body", "tags", "embedding", "embedding_1", "lstm", "lstm_1", "concatenate",
                               "priority", "department"}));
  EXPECT_EQ(arrows(dot), (Lines{"title -> embedding", "body -> embedding_1", "embedding -> lstm",
                                "embedding_1 -> lstm_1", "lstm -> concatenate", "lstm_1 -> concatenate",
                                "tags -> concatenate", "concatenate -> priority", "concatenate -> department"}));
  EXPECT_NE(dot.find("{{[(?, 8), (?, 4), (?, 12)]}|{(?, 24)}}"), std::string::npos) << dot;
}

TEST_F(PlotTest, ConnectionsThatSkipLayers) {
  const Tensor input = Input({8, 8, 4}, {.name = "img"});
  const Tensor first = layers::MaxPooling2D(2)(input);
  Tensor x = layers::Conv2D(4, 3, {.padding = "same"})(first);
  const Tensor second = layers::add({x, first});
  x = layers::Conv2D(4, 3, {.padding = "same"})(second);
  const Model model(input, layers::add({x, second}));
  EXPECT_EQ(arrows(model_to_dot(model.graph())),
            (Lines{"img -> max_pooling2d", "max_pooling2d -> conv2d", "conv2d -> add", "max_pooling2d -> add",
                   "add -> conv2d_1", "conv2d_1 -> add_1", "add -> add_1"}));
}

TEST_F(PlotTest, NoArrowTwice) {
  const Tensor a = Input({4}, {.name = "a"}), b = Input({4}, {.name = "b"});
  const layers::Dense shared(4, {.name = "shared"});
  const Tensor twice = layers::add({shared(a), shared(b)}, {.name = "twice"});
  const Model model({a, b}, {layers::multiply({twice, twice}, {.name = "square"})});
  EXPECT_EQ(arrows(model_to_dot(model.graph())),
            (Lines{"a -> shared", "b -> shared", "shared -> twice", "twice -> square"}));
}

TEST_F(PlotTest, ASequentialShowsItsInput) {
  const Sequential model({Input({4}), layers::Dense(3), layers::Dense(2)});
  EXPECT_EQ(arrows(model_to_dot(model.graph())), (Lines{"input_1 -> dense", "dense -> dense_1"}));
}

class NestedPlotTest : public PlotTest {
 protected:
  NestedPlotTest() {
    const Tensor original = Input({8}, {.name = "original"});
    const Model encoder(original, layers::Dense(2, {.name = "code"})(original), "encoder");
    const Tensor encoded = Input({2}, {.name = "encoded"});
    const Model decoder(encoded, layers::Dense(8, {.name = "image"})(encoded), "decoder");
    const Tensor input = Input({8}, {.name = "input"});
    model_ = Model(input, decoder(encoder(input)), "autoencoder");
  }
  std::optional<Model> model_;
};

TEST_F(NestedPlotTest, AModelIsABoxLikeAnyLayer) {
  const std::string dot = model_to_dot(model_->graph());
  EXPECT_EQ(boxes(dot), (Lines{"input", "encoder", "decoder"}));
  EXPECT_EQ(arrows(dot), (Lines{"input -> encoder", "encoder -> decoder"}));
  EXPECT_NE(dot.find("[label=\"encoder: Model\"]"), std::string::npos);
}

TEST_F(NestedPlotTest, OrACluster) {
  const std::string dot = model_to_dot(model_->graph(), {.expand_nested = true});
  EXPECT_NE(dot.find("  subgraph \"cluster_encoder\" {\n"
                     "    style=dashed;\n"
                     "    label=\"encoder\";\n"
                     "    labeljust=l;\n"
                     "    \"encoder/original\" [label=\"original: InputLayer\"];\n"
                     "    \"encoder/code\" [label=\"code: Dense\"];\n"
                     "    \"encoder/original\" -> \"encoder/code\";\n"
                     "  }\n"),
            std::string::npos)
      << dot;
  EXPECT_EQ(boxes(dot), (Lines{"input", "encoder/original", "encoder/code", "decoder/encoded", "decoder/image"}));
  EXPECT_EQ(arrows(dot), (Lines{"input -> encoder/original", "encoder/original -> encoder/code",
                                "encoder/code -> decoder/encoded", "decoder/encoded -> decoder/image"}));
}

TEST_F(NestedPlotTest, ModelsWithinModels) {
  const Tensor input = Input({8}, {.name = "outside"});
  const Model outer(input, layers::Dense(1, {.name = "top"})((*model_)(input)));
  EXPECT_EQ(arrows(model_to_dot(outer.graph(), {.expand_nested = true})),
            (Lines{"outside -> autoencoder/input", "autoencoder/input -> autoencoder/encoder/original",
                   "autoencoder/encoder/original -> autoencoder/encoder/code",
                   "autoencoder/encoder/code -> autoencoder/decoder/encoded",
                   "autoencoder/decoder/encoded -> autoencoder/decoder/image", "autoencoder/decoder/image -> top"}));
}

TEST_F(NestedPlotTest, ArrowsReachTheInputsAndLeaveTheOutputsThatTheyMean) {
  const Tensor a = Input({4}, {.name = "a"}), b = Input({4}, {.name = "b"});
  const Model pair({a, b}, {layers::Dense(2, {.name = "left"})(a), layers::Dense(2, {.name = "right"})(b)}, "pair");
  const Tensor x = Input({4}, {.name = "x"}), y = Input({4}, {.name = "y"});
  const auto outputs = pair.call({x, y});
  const Model model({x, y}, {layers::Dense(1, {.name = "end"})(outputs[1])});
  EXPECT_EQ(arrows(model_to_dot(model.graph(), {.expand_nested = true})),
            (Lines{"x -> pair/a", "y -> pair/b", "pair/a -> pair/left", "pair/b -> pair/right", "pair/right -> end"}));
}

TEST_F(PlotTest, WrappersNameWhatTheyWrap) {
  const Tensor input = Input({5, 3}, {.name = "steps"});
  const Tensor x = layers::TimeDistributed(layers::Dense(4))(input);
  const Model model(input, layers::Bidirectional(layers::LSTM(2))(x));
  EXPECT_EQ(found(model_to_dot(model.graph()), "label=\"([^\"]*)\""),
            (Lines{"steps: InputLayer", "time_distributed(dense): TimeDistributed(Dense)",
                   "bidirectional(lstm): Bidirectional(LSTM)"}));
}

TEST_F(NestedPlotTest, AWrappedModelIsAClusterBehindItsWrapper) {
  const Tensor input = Input({5, 8}, {.name = "steps"});
  const Tensor each = layers::TimeDistributed(*model_, {.name = "each"})(input);
  const Model model(input, layers::Flatten({.name = "flat"})(each));
  const Lines found_arrows = arrows(model_to_dot(model.graph(), {.expand_nested = true}));
  EXPECT_TRUE(found_arrows.contains("steps -> each"));
  EXPECT_TRUE(found_arrows.contains("each -> each/autoencoder/input"));
  EXPECT_TRUE(found_arrows.contains("each/autoencoder/decoder/image -> flat"));
}

TEST_F(PlotTest, NamesMayHoldWhatGraphvizReads) {
  const Tensor input = Input({1}, {.name = "a|b"});
  const Model model(input, layers::Dense(1, {.name = "say \"{x}\" \\ y/z"})(input));
  const std::string dot = model_to_dot(model.graph());
  EXPECT_NE(dot.find(R"("a|b" [label="a\|b: InputLayer"];)"), std::string::npos) << dot;
  EXPECT_NE(dot.find(R"("say \"{x}\" \\ y%2Fz" [label="say \"\{x\}\" \\ y/z: Dense"];)"), std::string::npos) << dot;
}

class TwoLayers : public SubclassedModel {
 public:
  explicit TwoLayers(const std::string& name) : SubclassedModel({.name = name}) {}
  std::string class_name() const override { return "TwoLayers"; }
  Tensor call(const Tensor& x, CallContext&) override { return second_(first_(x)); }

 private:
  LayerRef first_ = track(layers::Dense(2)), second_ = track(layers::Dense(1));
};

TEST_F(PlotTest, ASubclassedModelIsOneBox) {
  auto model = make_model<TwoLayers>("mine");
  model.predict(constant({1.f, 2.f}, {1, 2}));
  EXPECT_EQ(found(model_to_dot(model.graph()), "(\"mine\" \\[label=\"mine\"\\];)").size(), 1U);
  EXPECT_TRUE(arrows(model_to_dot(model.graph())).empty());
}

TEST_F(PlotTest, RefusesWhatCannotBeDrawn) {
  const Model model = perceptron();
  expect_error<ConfigError>(
      [&] { plot_model(model, "model.gif"); },
      "plot_model writes files whose names end with .dot, .png, .svg or .pdf. Received: model.gif");
  expect_error<ConfigError>([&] { model_to_dot(model.graph(), {.rankdir = "UP"}); },
                            "The `rankdir` of a plot is one of TB, LR, BT, RL. Received: UP");
  expect_error<ConfigError>([&] { model_to_dot(model.graph(), {.dpi = 0}); },
                            "The `dpi` of a plot is a positive number. Received: 0");
  const Sequential unbuilt({layers::Dense(1)}, "later");
  expect_error<ConfigError>([&] { model_to_dot(unbuilt.graph()); },
                            "Model later has not yet been built, so there is nothing to plot.");
}

}  // namespace
}  // namespace strata
