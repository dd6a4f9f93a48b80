// SPDX-License-Identifier: Apache-2.0
// Models by subclassing: trained like functional ones, within other models and with others within them.
#include <gtest/gtest.h>

#include <mutex>

#include "core/base/error.h"
#include "core/model/session.h"
#include "core/training/model.h"
#include "layers/layers.h"
#include "tests/support/expect_error.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

using testing::expect_error;
using Floats = std::vector<float>;

/// The guide's MLP.
class MLP : public SubclassedModel {
 public:
  explicit MLP(Dim classes, LayerOptions options = {})
      : SubclassedModel(std::move(options)), classifier_(track(layers::Dense(classes))) {}
  std::string class_name() const override { return "MLP"; }
  Tensor call(const Tensor& x, CallContext&) override { return classifier_(hidden_(x)); }
  /// A second way to run it.
  Tensor features(const Tensor& x) { return hidden_(x); }

 private:
  LayerRef hidden_ = track(layers::Dense(64, {.activation = "relu"}));
  LayerRef classifier_;
};

Model functional_mlp(Dim classes) {
  const Tensor inputs = Input({32});
  return Model(inputs, layers::Dense(classes)(layers::Dense(64, {.activation = "relu"})(inputs)));
}

/// Any model or layer as one, behind a layer of its own.
class Wrapper : public SubclassedModel {
 public:
  explicit Wrapper(const LayerRef& inner) : inner_(track(inner)) {}
  std::string class_name() const override { return "Wrapper"; }
  Config config() const override { return Config::object({{"inner", inner_.name()}}); }
  Tensor call(const Tensor& x, CallContext&) override { return inner_(x); }

 private:
  LayerRef inner_;
};

/// Two inputs, two outputs.
class Siamese : public SubclassedModel {
 public:
  std::string class_name() const override { return "Siamese"; }
  std::vector<Tensor> call_many(const std::vector<Tensor>& inputs, CallContext&) override {
    const Tensor a = tower_(inputs.at(0)), b = tower_(inputs.at(1));
    return {a - b, head_(a + b)};
  }

 private:
  LayerRef tower_ = track(layers::Dense(3, {.kernel_initializer = "ones"}));
  LayerRef head_ = track(layers::Dense(1, {.kernel_initializer = "ones"}));
};

Tensor random(const Shape& shape, std::uint64_t stream) {
  const RandomKey key{constant<std::int64_t>({7, 0, 0}, {3}), stream};
  return constant(ops::random_normal(key, shape).to_vector<float>(), shape);
}

const Tensor& data() {
  static const Tensor x = random({48, 32}, 1);
  return x;
}
const Tensor& labels() {
  static const Tensor y = constant(ops::argmax(random({48, 10}, 2)).to_vector<std::int64_t>(), {48});
  return y;
}

struct Trained {
  Floats predictions;
  std::vector<double> losses;
  friend bool operator==(const Trained&, const Trained&) = default;
};

Floats numbers(const std::vector<Tensor>& tensors) {
  Floats all;
  for (const Tensor& tensor : tensors) {
    const Floats part = tensor.to_vector<float>();
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

Trained train(Model model) {
  model.compile({.optimizer = optimizers::Adam(),
                 .loss = losses::SparseCategoricalCrossentropy({.from_logits = true}),
                 .metrics = {"accuracy"}});
  const History history = model.fit(data(), labels(), {.batch_size = 20, .epochs = 2, .verbose = 0, .blocks = 2});
  return {numbers(model.get_weights()), history.at("loss")};
}

class SubclassedTest : public ::testing::Test {
  Session session_;
  SessionScope scope_{session_};
};

TEST_F(SubclassedTest, HasWeightsAfterItsFirstCall) {
  auto mlp = make_model<MLP>(10);
  EXPECT_EQ(mlp.name(), "mlp");
  EXPECT_TRUE(mlp.weights().empty());
  EXPECT_EQ(mlp.layers().size(), 2u);
  EXPECT_THROW(mlp.summary(), ConfigError);
  EXPECT_EQ(mlp(ops::zeros({1, 32})).shape(), (Shape{1, 10}));
  EXPECT_EQ(mlp.weights().size(), 4u);
  EXPECT_EQ(mlp.count_params(), 2762);
  EXPECT_EQ(mlp.named_weights()[2].name, "mlp/dense_1/kernel");
  EXPECT_EQ(mlp.get_layer("dense_1"), mlp.layers()[1]);
}

TEST_F(SubclassedTest, TrainsAsTheFunctionalModelWithItsWeights) {
  auto mlp = make_model<MLP>(10);
  mlp(data());
  Model functional = functional_mlp(10);
  functional.set_weights(mlp.get_weights());
  EXPECT_EQ(numbers({mlp.predict(data())}), numbers({functional.predict(data())}));
  EXPECT_EQ(train(mlp), train(functional));
  EXPECT_EQ(numbers({mlp.predict(data())}), numbers({functional.predict(data())}));
  EXPECT_EQ(mlp.evaluate(data(), labels(), {.verbose = 0}), functional.evaluate(data(), labels(), {.verbose = 0}));
}

TEST_F(SubclassedTest, IsBuiltByTheFirstDataAndEqualOnAllRanks) {
  const auto make = [] {
    clear_session();
    set_seed(3);
    return train(make_model<MLP>(10));
  };
  const Trained alone = make();
  EXPECT_FALSE(alone.predictions.empty());
  EXPECT_LT(alone.losses[1], alone.losses[0]);
  std::mutex mutex;
  testing::run_ranks(2, [&](Communicator&) {
    const Trained run = make();
    const std::lock_guard lock(mutex);
    EXPECT_EQ(run, alone);
  });
}

TEST_F(SubclassedTest, SummaryListsTheLayers) {
  auto mlp = make_model<MLP>(10);
  mlp(data());
  const std::string text = summary_text(mlp.graph());
  EXPECT_EQ(text.substr(0, text.find('\n')), "Model: \"mlp\"");
  EXPECT_NE(text.find("dense (Dense)                multiple                  2112      \n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("Total params: 2,762\n"), std::string::npos);
  mlp.predict(data());
  EXPECT_EQ(summary_text(mlp.graph()), text);
}

TEST_F(SubclassedTest, TakesDataOfOtherShapesThanBefore) {
  auto model = make_model<Wrapper>(layers::GlobalAveragePooling1D());
  EXPECT_EQ(model.predict(random({4, 7, 3}, 5)).shape(), (Shape{4, 3}));
  EXPECT_EQ(model.predict(random({2, 9, 3}, 5)).shape(), (Shape{2, 3}));
}

TEST_F(SubclassedTest, MayHaveSeveralInputsAndOutputs) {
  auto model = make_model<Siamese>();
  model.compile({.optimizer = "sgd", .loss = {{"output_1", "mse"}, {"output_2", "mae"}}});
  const Tensor a = random({6, 4}, 1), b = random({6, 4}, 2), d = random({6, 3}, 3), s = random({6, 1}, 4);
  const History history = model.fit({a, b}, {d, s}, {.verbose = 0});
  EXPECT_EQ(model.metrics_names(), (std::vector<std::string>{"loss", "output_1_loss", "output_2_loss"}));
  EXPECT_NEAR(history.at("loss")[0], history.at("output_1_loss")[0] + history.at("output_2_loss")[0], 1e-6);
  const auto predictions = model.predict_all({a, b});
  const auto called = model.call({a, b});
  for (std::size_t k = 0; k < 2; ++k) EXPECT_EQ(numbers({predictions[k]}), numbers({called[k]}));
  EXPECT_THROW(model.predict({a, b}), ConfigError);
  EXPECT_EQ(model.weights().size(), 4u);
}

TEST_F(SubclassedTest, ItsMembersServeFunctionalModels) {
  auto mlp = make_model<MLP>(10);
  EXPECT_EQ(mlp->features(data()).shape(), (Shape{48, 64}));
  const Tensor inputs = Input({32});
  Model features(inputs, mlp->features(inputs));
  EXPECT_EQ(features.weights().size(), 2u);
  EXPECT_EQ(numbers({features.predict(data())}), numbers({mlp->features(data())}));
  train(mlp);
  EXPECT_EQ(numbers({features.predict(data())}), numbers({mlp->features(data())}));
}

/// Models of every kind within a model of every kind.
TEST_F(SubclassedTest, ModelsOfAllKindsLieWithinEachOther) {
  using Make = std::function<Model(const LayerRef& inner)>;
  const std::vector<Make> outer = {
      [](const LayerRef& inner) {
        const Tensor in = Input({32});
        return Model(in, inner(in));
      },
      [](const LayerRef& inner) { return Model(Sequential({inner})); },
      [](const LayerRef& inner) { return Model(make_model<Wrapper>(inner)); },
  };
  const std::vector<std::function<Model()>> inner = {
      [] { return functional_mlp(10); },
      [] {
        return Model(Sequential({layers::Dense(64, {.activation = "relu"}), layers::Dense(10)}));
      },
      [] { return Model(make_model<MLP>(10)); },
  };
  Model plain = functional_mlp(10);
  const auto start = plain.get_weights();
  const Trained expected = train(plain);
  for (std::size_t o = 0; o < outer.size(); ++o) {
    for (std::size_t i = 0; i < inner.size(); ++i) {
      SCOPED_TRACE(std::to_string(i) + " within " + std::to_string(o));
      const Model within = inner[i]();
      Model model = outer[o](within);
      model(data());
      model.set_weights(start);
      EXPECT_EQ(train(model), expected);
      EXPECT_EQ(numbers(within.get_weights()), expected.predictions);
      EXPECT_EQ(within.weights()[0], model.weights()[0]);
      model.set_trainable(false);
      EXPECT_TRUE(within.trainable_weights().empty());
      EXPECT_EQ(model.non_trainable_weights().size(), 4u);
    }
  }
}

TEST_F(SubclassedTest, FrozenPartsStay) {
  const Model within = functional_mlp(10);
  within.get_layer(1).set_trainable(false);
  auto model = make_model<Wrapper>(within);
  model(data());
  EXPECT_EQ(model.trainable_weights().size(), 2u);
  const auto before = model.get_weights();
  train(model);
  const auto after = model.get_weights();
  EXPECT_EQ(numbers({before[0], before[1]}), numbers({after[0], after[1]}));
  EXPECT_NE(numbers({before[2]}), numbers({after[2]}));
}

TEST_F(SubclassedTest, WeightsThatLayersShareCountOnce) {
  const LayerRef shared = layers::Dense(32);
  const Tensor a = Input({32}), b = Input({32});
  const Model first(a, shared(a)), second(b, shared(shared(b)));
  class Both : public SubclassedModel {
   public:
    explicit Both(const std::vector<LayerRef>& all) : all_(track(all)) {}
    std::string class_name() const override { return "Both"; }
    Tensor call(const Tensor& x, CallContext&) override { return all_[0](all_[1](x)); }

   private:
    std::vector<LayerRef> all_;
  };
  auto both = make_model<Both>(std::vector<LayerRef>{first, second});
  both(data());
  EXPECT_EQ(both.weights(), shared.weights());
  EXPECT_EQ(both.trainable_weights(), shared.weights());
  EXPECT_EQ(both.layers().size(), 2u);
  Model functional(a, second(shared(a)));
  const auto start = both.get_weights();
  const Trained run = train(both);
  both.set_weights(start);
  EXPECT_EQ(train(functional), run);
}

TEST_F(SubclassedTest, WeightsAreThoseOfOneLayerAfterTheOther) {
  class Normalized : public SubclassedModel {
   public:
    std::string class_name() const override { return "Normalized"; }
    void build(const Shape&) override { scale_ = add_weight("scale", {}, {.initializer = "ones"}); }
    Tensor call(const Tensor& x, CallContext&) override { return dense_(norm_(x)) * scale_; }

   private:
    LayerRef norm_ = track(layers::BatchNormalization());
    LayerRef dense_ = track(layers::Dense(10));
    Variable scale_;
  };
  auto model = make_model<Normalized>();
  model(data());
  std::vector<std::string> names;
  for (const auto& [name, weight] : model.named_weights()) names.push_back(name);
  const std::string bn = "normalized/batch_normalization/";
  EXPECT_EQ(names,
            (std::vector<std::string>{"normalized/scale", bn + "gamma", bn + "beta", bn + "moving_mean",
                                      bn + "moving_variance", "normalized/dense/kernel", "normalized/dense/bias"}));
  const Floats before = numbers({model.get_weights()[3]});
  train(model);
  EXPECT_NE(numbers({model.get_weights()[3]}), before);
}

TEST_F(SubclassedTest, IsDescribedOnlyWhenItsClassSaysHow) {
  auto mlp = make_model<MLP>(10);
  EXPECT_THROW(mlp.get_config(), ConfigError);
  const Tensor in = Input({32});
  const Model outer(in, mlp(in));
  EXPECT_THROW(outer.get_config(), ConfigError);
  const Model described(in, make_model<Wrapper>(layers::Dense(3))(in));
  const Config entry = described.get_config().at("layers").as_list().at(1);
  EXPECT_EQ(entry.at("class_name").as_string(), "Wrapper");
  EXPECT_EQ(entry.at("config").at("inner").as_string(), "dense_2");
}

}  // namespace
}  // namespace strata
