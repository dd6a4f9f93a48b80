// SPDX-License-Identifier: Apache-2.0
// `training` and masks through layers, functional models and subclassed models within each other.
#include <gtest/gtest.h>

#include "core/model/session.h"
#include "core/training/model.h"
#include "layers/layers.h"

namespace strata {
namespace {

using Floats = std::vector<float>;

/// Tells whether it is called in training.
class TrainingFlag : public Layer {
 public:
  using Layer::Layer;
  std::string class_name() const override { return "TrainingFlag"; }
  Tensor call(const Tensor& x, CallContext& context) override { return context.training() ? x * 0.0 + 1.0 : x * 0.0; }
};

/// Any layer or model within a layer.
class Within : public Layer {
 public:
  explicit Within(const LayerRef& inner, CallOptions options = {})
      : inner_(track(inner)), options_(std::move(options)) {}
  std::string class_name() const override { return "Within"; }
  Tensor call(const Tensor& x, CallContext&) override { return inner_(x, options_); }

 private:
  LayerRef inner_;
  CallOptions options_;
};

/// Words to a vector, by a recurrent layer that leaves out words 0.
class Reader : public SubclassedModel {
 public:
  std::string class_name() const override { return "Reader"; }
  Tensor call(const Tensor& words, CallContext&) override { return lstm_(dropout_(embedding_(words))); }
  Tensor read(const Tensor& words) { return lstm_(dropout_(embedding_(words))); }
  const LayerRef& embedding() const { return embedding_; }

 private:
  LayerRef embedding_ = track(layers::Embedding(10, 4, {.mask_zero = true}));
  LayerRef dropout_ = track(layers::Dropout(0.1));
  LayerRef lstm_ = track(layers::LSTM(3));
};

class NestedCallsTest : public ::testing::Test {
 protected:
  static Model functional(const LayerRef& layer, const CallOptions& options = {}) {
    const Tensor in = Input({2});
    return Model(in, layer(in, options));
  }
  static float flag(const LayerRef& layer, const CallOptions& options = {}) {
    return layer(constant({5.f, 6.f}, {1, 2}), options).to_vector<float>()[0];
  }
  static Floats numbers(const Tensor& tensor) { return tensor.to_vector<float>(); }
  const Tensor words_ = constant(std::vector<std::int32_t>{1, 2, 3, 0, 4, 5, 0, 0}, {2, 4});

 private:
  Session session_;
  SessionScope scope_{session_};
};

TEST_F(NestedCallsTest, TrainingReachesAllThatLiesWithin) {
  const LayerRef plain = make_layer<TrainingFlag>();
  const std::vector<LayerRef> all = {plain,
                                     functional(plain),
                                     make_layer<Within>(plain),
                                     make_layer<Within>(functional(plain)),
                                     functional(make_layer<Within>(functional(make_layer<Within>(plain)))),
                                     Sequential({make_layer<Within>(functional(plain))})};
  for (const LayerRef& layer : all) {
    EXPECT_EQ(flag(layer), 0.f) << layer.name();
    EXPECT_EQ(flag(layer, {.training = true}), 1.f) << layer.name();
    EXPECT_EQ(flag(layer, {.training = false}), 0.f) << layer.name();
  }
}

TEST_F(NestedCallsTest, AnInnerCallsOwnTrainingComesFirst) {
  const LayerRef plain = make_layer<TrainingFlag>();
  const LayerRef frozen = make_layer<Within>(functional(plain), CallOptions{.training = false});
  EXPECT_EQ(flag(functional(frozen), {.training = true}), 0.f);
  const LayerRef always = functional(plain, {.training = true});
  EXPECT_EQ(flag(always), 1.f);
  EXPECT_EQ(flag(make_layer<Within>(always), {.training = false}), 1.f);
}

TEST_F(NestedCallsTest, FitTrainsAndPredictDoesNot) {
  Model model = functional(make_layer<Within>(functional(make_layer<TrainingFlag>())));
  model.compile({.optimizer = "sgd", .loss = "mse"});
  const Tensor x = ops::ones({4, 2}), y = ops::zeros({4, 2});
  EXPECT_EQ(numbers(model.predict(x)), Floats(8, 0.f));
  EXPECT_EQ(model.evaluate(x, y, {.verbose = 0})[0], 0.0);
}

// The functional model has always known its masks; the others must say the same.
TEST_F(NestedCallsTest, MasksTravelWithTensorsWithinCalls) {
  auto reader = make_model<Reader>();
  const Floats read = numbers(reader(words_));
  const Tensor in = Input({None}, {.dtype = Dtype::int32});
  Tensor x = reader.layers()[0](in);
  x = reader.layers()[1](x);
  Model functional(in, reader.layers()[2](x));
  EXPECT_EQ(numbers(functional(words_)), read);
  EXPECT_EQ(numbers(functional.predict(words_)), numbers(reader.predict(words_)));
  EXPECT_EQ(numbers(reader->read(words_)), read);  // layer by layer, eagerly
  EXPECT_EQ(numbers(Model(in, reader(in))(words_)), read);
  // Words 0 at the end change nothing.
  const Tensor shorter = constant(std::vector<std::int32_t>{4, 5}, {1, 2});
  const Floats last = numbers(reader(shorter));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(last[i], read[3 + i], 1e-6);
}

TEST_F(NestedCallsTest, MasksEnterAndLeaveLayersThatHoldModels) {
  auto reader = make_model<Reader>();
  const Floats read = numbers(reader(words_));
  const LayerRef embedding = reader.layers()[0], lstm = reader.layers()[2];
  const Tensor vectors = Input({None, 4});
  const Model tail(vectors, lstm(vectors));
  const Tensor words = Input({None}, {.dtype = Dtype::int32});
  const Model head(words, embedding(words));
  // in:
  EXPECT_EQ(numbers(make_layer<Within>(tail)(embedding(words_))), read);
  EXPECT_EQ(numbers(Model(words, make_layer<Within>(tail)(embedding(words)))(words_)), read);
  // and out:
  EXPECT_EQ(numbers(lstm(make_layer<Within>(head)(words_))), read);
  EXPECT_EQ(numbers(Model(words, lstm(make_layer<Within>(head)(words)))(words_)), read);
}

}  // namespace
}  // namespace strata
