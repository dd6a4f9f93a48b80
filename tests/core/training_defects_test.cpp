// SPDX-License-Identifier: Apache-2.0
// What training must not get wrong quietly: shared variables, added losses, ranks that differ, broken models.
#include <gtest/gtest.h>

#include <mutex>

#include "core/base/error.h"
#include "core/program/program.h"
#include "strata/strata.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

struct Data {
  Tensor x, y;
};

Data make_data(Dim samples) {
  const RandomKey key{constant<std::int64_t>({3, 0, 0}, {3}), 3};
  const Tensor x = ops::random_normal(key, {samples, 6});
  const Tensor y = ops::argmax(ops::slice(x, {0, 0}, {None, 3}));
  return {constant(x.to_vector<float>(), x.shape()), constant(y.to_vector<std::int64_t>(), y.shape())};
}

const Loss kLoss = losses::SparseCategoricalCrossentropy({.from_logits = true});

Model small_model(Dim units = 5) {
  auto input = Input({6});
  return Model(input, layers::Dense(3)(layers::Dense(units, {.activation = "tanh"})(input)), "small");
}

TEST(Variable, WhatWasReadBeforeAnAssignmentKeepsItsValue) {
  const Variable a("a", scalar(2)), b("b", scalar(3));
  const Tensor loss = a * b;
  const auto g = gradients({loss}, {a.value(), b.value()});
  a.assign(a - g[0].values);
  b.assign(b - g[1].values);
  EXPECT_EQ(Tensor(a).item<float>(), -1.0f);
  EXPECT_EQ(Tensor(b).item<float>(), 1.0f);
  EXPECT_EQ(loss.item<float>(), 6.0f);
  const Tensor view = ops::reshape(a, {1});
  EXPECT_EQ(view.item<float>(), -1.0f);
  a.assign(scalar(7));
  EXPECT_EQ(view.item<float>(), -1.0f);
}

TEST(Variable, TrainingDoesNotChangeWhatWasReadBefore) {
  const Data data = make_data(20);
  Model model = small_model();
  model.compile({.loss = kLoss});
  const Tensor before = Tensor(model.weights()[0]) * 1.0;
  const auto copy = Tensor(model.weights()[0]).to_vector<float>();
  model.train_on_batch(data.x, data.y);
  EXPECT_EQ(before.to_vector<float>(), copy);
  EXPECT_NE(Tensor(model.weights()[0]).to_vector<float>(), copy);
}

/// Lets another model, which shares the variables, predict after every batch.
class PredictElsewhere final : public Callback {
 public:
  PredictElsewhere(Model model, Tensor x) : model_(std::move(model)), x_(std::move(x)) {}
  void on_train_batch_end(Dim, const Logs&) override { model_.predict(x_); }

 private:
  Model model_;
  Tensor x_;
};

TEST(Training, AModelThatSharesVariablesMayRunInBetween) {
  const Data data = make_data(60);
  const auto run = [&](bool elsewhere) {
    clear_session();
    auto input = Input({6});
    const Tensor features = layers::Dense(5, {.activation = "tanh"})(input);
    Model model(input, layers::Dense(3)(features), "whole");
    Model encoder(input, features, "encoder");
    model.compile({.loss = kLoss});
    FitOptions options{.batch_size = 10, .epochs = 3, .verbose = 0, .validation_split = 0.2};
    if (elsewhere) options.callbacks = {std::make_shared<PredictElsewhere>(encoder, data.x)};
    const History history = model.fit(data.x, data.y, options);
    return std::pair(history.history, model.weights_hash());
  };
  EXPECT_EQ(run(false), run(true));
}

TEST(Training, CopiesOfAHandleAreTheSameModel) {
  const Data data = make_data(20);
  Model model = small_model();
  Model copy = model;
  const Optimizer optimizer = optimizers::SGD({.learning_rate = 0.5});
  model.compile({.optimizer = optimizer, .loss = kLoss});
  copy.fit(data.x, data.y, {.verbose = 0});
  EXPECT_EQ(model.iterations(), 1);
  Optimizer(optimizer).set_learning_rate(0.25);
  EXPECT_EQ(copy.optimizer().learning_rate(), 0.25);
}

/// Adds a loss of its own: the mean of its input.
class Adding final : public Layer {
 public:
  std::string class_name() const override { return "Adding"; }
  Tensor call(const Tensor& input, CallContext& context) override {
    context.add_loss(ops::mean(input) * 100.0);
    return input;
  }
};

TEST(Training, AddedLossesCountOnceWhateverTheBlocks) {
  const Data data = make_data(20);
  const float mean = ops::mean(data.x).item<float>();
  for (const Dim blocks : {1, 3, 20}) {
    clear_session();
    auto input = Input({6});
    Model model(input, layers::Dense(3)(make_layer<Adding>()(input)), "adding");
    model.compile({.loss = kLoss});
    const double with = model.evaluate(data.x, data.y, {.batch_size = 20, .verbose = 0, .blocks = blocks})[0];
    Model plain(input, model.layers().back()(input), "plain");
    plain.compile({.loss = kLoss});
    const double without = plain.evaluate(data.x, data.y, {.batch_size = 20, .verbose = 0, .blocks = blocks})[0];
    EXPECT_NEAR(with - without, 100.0 * mean, 1e-3) << blocks << " blocks";
  }
}

TEST(Training, AnAddedLossIsEnoughToTrain) {
  const Data data = make_data(20);
  auto input = Input({6});
  Model model(input, make_layer<Adding>()(layers::Dense(3)(input)), "adding");
  model.compile({.optimizer = "sgd"});
  const History history = model.fit(data.x, data.y, {.batch_size = 20, .epochs = 3, .verbose = 0});
  EXPECT_LT(history.at("loss").back(), history.at("loss").front());
  Model nothing = small_model();
  nothing.compile({.optimizer = "sgd"});
  EXPECT_THROW(nothing.fit(data.x, data.y, {.verbose = 0}), ConfigError);
}

TEST(Training, AnOutputWithoutARowASampleIsAnError) {
  const auto input = Input({6});
  Model model(input, layers::Concatenate(0)({input, input}), "doubled");
  EXPECT_THROW(model.predict(ops::ones({4, 6})), ShapeError);
}

TEST(Training, FitWorksAfterAnErrorWhileCompilingTheStep) {
  const Data data = make_data(20);
  Model model = small_model();
  model.compile({.loss = kLoss, .metrics = {"mse"}});  // compares (n,) with (n, 3)
  for (int i = 0; i < 2; ++i) EXPECT_THROW(model.fit(data.x, data.y, {.verbose = 0}), ShapeError);
  model.compile({.loss = kLoss});
  model.fit(data.x, data.y, {.verbose = 0});
  EXPECT_EQ(model.metrics_names(), (std::vector<std::string>{"loss"}));
}

TEST(Training, HugeBatchesAreAllOfTheData) {
  const Data data = make_data(20);
  Model model = small_model();
  model.compile({.loss = kLoss});
  model.fit(data.x, data.y, {.batch_size = std::numeric_limits<Dim>::max(), .verbose = 0});
  EXPECT_EQ(model.iterations(), 1);
  EXPECT_THROW(model.fit(data.x, data.y, {.verbose = 0, .steps_per_epoch = 2}), ConfigError);
}

TEST(Training, EveryFitShufflesAnew) {
  const Data data = make_data(64);
  Model one = small_model(), two = small_model();
  for (std::size_t i = 0; i < one.weights().size(); ++i) two.weights()[i].assign(one.weights()[i]);
  one.compile({.loss = kLoss});
  two.compile({.loss = kLoss});
  one.fit(data.x, data.y, {.batch_size = 16, .epochs = 2, .verbose = 0});
  for (int i = 0; i < 2; ++i) two.fit(data.x, data.y, {.batch_size = 16, .verbose = 0});
  EXPECT_EQ(one.weights_hash(), two.weights_hash());
}

TEST(Training, FreezingTakesEffectWhenCompiledAgain) {
  const Data data = make_data(20);
  Model model = small_model();
  model.compile({.loss = kLoss});
  model.layers()[1].set_trainable(false);
  const auto before = Tensor(model.weights()[0]).to_vector<float>();
  model.fit(data.x, data.y, {.verbose = 0});
  const auto after = Tensor(model.weights()[0]).to_vector<float>();
  EXPECT_NE(after, before);
  model.compile({.loss = kLoss});
  model.fit(data.x, data.y, {.verbose = 0});
  EXPECT_EQ(Tensor(model.weights()[0]).to_vector<float>(), after);
}

/// Runs `act` on two ranks that differ; both must be told.
void expect_refused(const std::function<void(int rank)>& act) {
  std::mutex mutex;
  int refused = 0;
  testing::run_ranks(2, [&](Communicator& communicator) {
    try {
      act(communicator.rank());
    } catch (const ConfigError& e) {
      const std::lock_guard lock(mutex);
      ++refused;
      EXPECT_NE(std::string(e.what()).find("rank 1"), std::string::npos) << e.what();
    }
  });
  EXPECT_EQ(refused, 2);
}

TEST(Training, RanksThatDifferAreTold) {
  const Data data = make_data(20);
  expect_refused([&](int rank) {  // in a tiny learning rate
    Model model = small_model();
    model.compile({.optimizer = optimizers::SGD({.learning_rate = rank == 0 ? 1e-7 : 2e-7}), .loss = kLoss});
    model.fit(data.x, data.y, {.verbose = 0});
  });
  expect_refused([&](int rank) {  // in the loss weights
    Model model = small_model();
    model.compile({.loss = kLoss, .loss_weights = {rank == 0 ? 1.0 : 5.0}});
    model.fit(data.x, data.y, {.verbose = 0});
  });
  expect_refused([&](int rank) {  // in the model
    Model model = small_model(rank == 0 ? 3 : 5);
    model.compile({.loss = kLoss});
    model.fit(data.x, data.y, {.verbose = 0});
  });
  expect_refused([&](int rank) {  // in the number of samples
    Model model = small_model();
    model.compile({.loss = kLoss});
    model.evaluate(ops::ones({rank == 0 ? 4 : 6, 6}), ops::zeros({rank == 0 ? 4 : 6}, Dtype::int64), {.verbose = 0});
  });
  expect_refused([&](int rank) { small_model().predict(ops::ones({rank == 0 ? 4 : 6, 6})); });
}

class StopWhenItBegins final : public Callback {
 public:
  explicit StopWhenItBegins(bool here) : here_(here) {}
  void on_epoch_begin(int epoch) override {
    if (here_ && epoch == 1) control().stop_training();
  }

 private:
  bool here_;
};

TEST(Training, AStopAtTheBeginningOfAnEpochStopsAllRanks) {
  const Data data = make_data(20);
  testing::run_ranks(2, [&](Communicator& communicator) {
    Model model = small_model();
    model.compile({.loss = kLoss});
    model.fit(data.x, data.y,
              {.batch_size = 10,
               .epochs = 4,
               .verbose = 0,
               .callbacks = {std::make_shared<StopWhenItBegins>(communicator.rank() == 1)}});
    EXPECT_EQ(model.iterations(), 2);
  });
}

TEST(Training, ManyInputShapesDoNotGrowTheCacheForever) {
  auto input = Input({None, 4});
  Model model(input, layers::Dense(2)(input), "any_length");
  for (Dim length = 1; length < 30; ++length) {
    EXPECT_EQ(model.predict(ops::ones({3, length, 4})).shape(), (Shape{3, length, 2}));
  }
}

TEST(Training, SequentialTrainsWithAndWithoutAnInput) {
  const Data data = make_data(40);
  const auto run = [&](Sequential model) {
    model.compile({.loss = kLoss});
    return model.fit(data.x, data.y, {.batch_size = 10, .epochs = 2, .verbose = 0}).at("loss").back();
  };
  clear_session();
  const double with = run(Sequential({Input({6}), layers::Dense(4), layers::Dense(3)}, "chain"));
  clear_session();
  Sequential added({}, "chain");
  added.add(layers::Dense(4));
  added.add(layers::Dense(3));
  EXPECT_EQ(run(added), with);
  EXPECT_EQ(added.layers().size(), 2u);
}

TEST(Program, HashesTellWiringAndConstantsApart) {
  const Tensor x = placeholder({{8}, Dtype::float32}), y = placeholder({{8}, Dtype::float32});
  const auto hash = [&](const Tensor& output) { return Program::compile({x, y}, {output}, cpu_device())->hash(); };
  EXPECT_EQ(hash(x - y), hash(x - y));
  EXPECT_NE(hash(x - y), hash(y - x));
  EXPECT_NE(hash(x * 2.0), hash(x * 3.0));
  EXPECT_NE(hash(ops::exp(x) - y), hash(ops::exp(y) - x));
}

TEST(Ops, NumbersBesideIntegerTensors) {
  const Tensor pixels = ops::full({2}, 200, Dtype::uint8);
  EXPECT_THROW(pixels / 255.0, DtypeError);
  EXPECT_THROW(pixels * 0.5, DtypeError);
  EXPECT_EQ((pixels + 1.0).to_vector<std::uint8_t>(), (std::vector<std::uint8_t>{201, 201}));
}

}  // namespace
}  // namespace strata
