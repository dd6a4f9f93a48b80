// SPDX-License-Identifier: Apache-2.0
// compile, fit, evaluate, predict: against real Keras, and against each other on threads, devices and ranks.
#include <gtest/gtest.h>

#include <cmath>
#include <mutex>

#include "core/base/error.h"
#include "core/training/step_engine.h"
#include "strata/strata.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/golden_values.h"
#include "tests/support/guarded_device.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

using testing::expect_close;
using testing::golden_tensor;
using testing::read_golden;

Model mlp(Dim inputs = 20, Dim classes = 4) {
  auto input = Input({inputs});
  auto x = layers::Dense(16, {.activation = "relu"})(input);
  x = layers::Dropout(0.25)(x);
  return Model(input, layers::Dense(classes)(x), "mlp");
}

void compile(Model& model, const Optimizer& optimizer = optimizers::RMSprop()) {
  model.compile({.optimizer = optimizer,
                 .loss = losses::SparseCategoricalCrossentropy({.from_logits = true}),
                 .metrics = {"accuracy"}});
}

struct Data {
  Tensor x, y;
};

/// Samples whose label is the place of the largest of their first features.
Data make_data(Dim samples, Dim inputs = 20, Dim classes = 4) {
  const RandomKey key{constant<std::int64_t>({7, 0, 0}, {3}), 3};
  const Tensor x = ops::random_normal(key, {samples, inputs});
  const Tensor y = ops::argmax(ops::slice(x, {0, 0}, {None, classes}));
  return {constant(x.to_vector<float>(), x.shape()), constant(y.to_vector<std::int64_t>(), y.shape())};
}

struct Result {
  std::uint64_t hash = 0;
  std::vector<std::pair<std::string, std::vector<double>>> history;
  std::vector<double> scores;
  std::vector<float> predictions;
  friend bool operator==(const Result&, const Result&) = default;
};

/// A whole training run in the current session.
Result train(const Data& data, const FitOptions& options, const Optimizer& optimizer = optimizers::Adam()) {
  clear_session();
  Model model = mlp();
  compile(model, optimizer);
  Result result;
  result.history = model.fit(data.x, data.y, options).history;
  result.scores = model.evaluate(data.x, data.y, {.batch_size = 50, .verbose = 0, .blocks = options.blocks});
  result.predictions = model.predict(data.x, {.batch_size = 33, .blocks = options.blocks}).to_vector<float>();
  result.hash = model.weights_hash();
  return result;
}

Optimizer golden_optimizer(const nlohmann::json& json) {
  const auto& config = json.at("config");
  const std::string name = json.at("class_name");
  const double rate = config.value("learning_rate", name == "SGD" ? 0.01 : 0.001);
  if (name == "SGD") {
    return optimizers::SGD({rate, config.value("momentum", 0.0), config.value("nesterov", false)});
  }
  if (name == "Adam") return optimizers::Adam({.learning_rate = rate});
  return optimizers::RMSprop({.learning_rate = rate, .rho = config.value("rho", 0.9)});
}

Model golden_model(const nlohmann::json& golden) {
  auto input = Input({6});
  Tensor x = input;
  for (const auto& layer : golden.at("layers")) {
    const std::string activation = layer.at("activation");
    x = layers::Dense(layer.at("units").get<Dim>(), {.activation = activation})(x);
  }
  Model model(input, x, "dense_model");
  const auto weights = model.weights();
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i].assign(golden_tensor(golden.at("weights")[i]));
  return model;
}

TEST(Training, DenseModelTrainsAsInKeras) {
  const auto golden = read_golden("dense_model.json");
  for (const auto& fit : golden.at("fits")) {
    SCOPED_TRACE(fit.at("name").get<std::string>());
    Model model = golden_model(golden);
    compile(model, golden_optimizer(fit.at("optimizer")));
    FitOptions options;
    options.batch_size = fit.at("batch_size");
    options.epochs = fit.at("epochs");
    options.validation_split = fit.at("validation_split");
    options.verbose = 0;
    options.shuffle = false;
    if (fit.contains("sample_weight")) options.sample_weight = golden_tensor(fit.at("sample_weight"));
    const History history = model.fit(golden_tensor(golden.at("x")), golden_tensor(golden.at("y")), options);
    for (const auto& [name, values] : fit.at("history").items()) {
      for (std::size_t e = 0; e < values.size(); ++e) {
        EXPECT_NEAR(history.at(name)[e], values[e].get<double>(), 2e-6) << name << " of epoch " << e;
      }
    }
    const auto weights = model.weights();
    for (std::size_t i = 0; i < weights.size(); ++i) {
      expect_close(weights[i], golden_tensor(fit.at("weights")[i]), 1e-5, 1e-6);
    }
  }
}

TEST(Training, PredictsAsKeras) {
  const auto golden = read_golden("dense_model.json");
  Model model = golden_model(golden);
  expect_close(model.predict(golden_tensor(golden.at("x")), {.batch_size = 3}), golden_tensor(golden.at("predictions")),
               1e-5, 1e-6);
  compile(model);
  const auto scores = model.test_on_batch(golden_tensor(golden.at("x")), golden_tensor(golden.at("y")));
  EXPECT_NEAR(scores[0], golden.at("loss").get<double>(), 1e-6);
}

TEST(Training, FixedBlocksGiveEqualBitsOnAnyRanks) {
  const Data data = make_data(203);
  for (const Dim batch : {64, 50, 7}) {
    const FitOptions options{.batch_size = batch, .epochs = 2, .verbose = 0, .validation_split = 0.1, .blocks = 6};
    const Result alone = train(data, options);
    for (const int ranks : {2, 3, 5}) {
      std::mutex mutex;
      testing::run_ranks(ranks, [&](Communicator& communicator) {
        Result result = train(data, options);
        const std::lock_guard lock(mutex);
        EXPECT_EQ(result.hash, alone.hash) << ranks << " ranks, batch " << batch;
        EXPECT_EQ(result.history, alone.history);
        EXPECT_EQ(result.scores, alone.scores);
        if (communicator.rank() == 0) EXPECT_EQ(result.predictions, alone.predictions);
        else EXPECT_TRUE(result.predictions.empty());
      });
    }
  }
}

TEST(Training, SmallBucketsGiveEqualBits) {
  const Data data = make_data(96);
  const auto run = [&](std::size_t bucket_bytes, BlockOrder order, int threads, int ranks) {
    std::vector<std::uint64_t> hashes(static_cast<std::size_t>(ranks));
    testing::run_ranks(ranks, [&](Communicator& communicator) {
      Model model = mlp();
      auto graph = std::static_pointer_cast<Functional>(model.shared());
      const Objective objective = make_objective(
          {"output"}, losses::SparseCategoricalCrossentropy({.from_logits = true}), {}, {"accuracy"}, {});
      FlatState state(model.layer().trainable_weights(), {}, {}, cpu_device());
      const Optimizer optimizer = optimizers::RMSprop();
      state.create_slots(optimizer);
      state.adopt();
      const std::vector<HostArray> arrays{HostArray(data.x), HostArray(data.y)};
      const DataSpecs specs{{{{20}, Dtype::float32}}, {{{}, Dtype::int64}}, {}};
      StepEngine engine(StepKind::train, graph, objective, specs, state, communicator,
                        {.blocks = 8, .threads = threads, .order = order, .bucket_bytes = bucket_bytes});
      for (int step = 0; step < 5; ++step) {
        engine.run({arrays, nullptr, 0, 61, 0, step, 0}, &optimizer, step);
      }
      hashes[static_cast<std::size_t>(communicator.rank())] = model.weights_hash();
    });
    for (std::uint64_t hash : hashes) EXPECT_EQ(hash, hashes[0]);
    return hashes[0];
  };
  const std::uint64_t expected = run(1 << 20, BlockOrder::block_by_block, 1, 1);
  EXPECT_EQ(run(1 << 20, BlockOrder::op_by_op, 1, 1), expected);
  EXPECT_EQ(run(1 << 20, BlockOrder::block_by_block, 2, 1), expected);
  EXPECT_EQ(run(1 << 20, BlockOrder::op_by_op, 2, 1), expected);
  EXPECT_EQ(run(64, BlockOrder::block_by_block, 1, 2), expected);
  EXPECT_EQ(run(300, BlockOrder::op_by_op, 1, 3), expected);
}

TEST(Training, AnOptimizerMayWaitForAllGradients) {
  const Data data = make_data(90);
  const FitOptions options{.batch_size = 30, .epochs = 2, .verbose = 0, .blocks = 4};
  const std::uint64_t expected = train(data, options, optimizers::SGD()).hash;
  // So wide a limit, a power of two, changes no bit of a gradient.
  const auto patient = [] { return optimizers::SGD({}, {.global_clipnorm = 0x1p20}); };
  EXPECT_EQ(train(data, options, patient()).hash, expected);
  testing::run_ranks(3, [&](Communicator&) { EXPECT_EQ(train(data, options, patient()).hash, expected); });
}

TEST(Training, TheGlobalMeanIsExactForUnevenBlocks) {
  const Data data = make_data(10);
  const auto loss_with = [&](Dim blocks) {
    clear_session();
    Model model = mlp();
    compile(model);
    return model.evaluate(data.x, data.y, {.batch_size = 7, .verbose = 0, .blocks = blocks})[0];
  };
  const double whole = loss_with(1);
  for (const Dim blocks : {2, 3, 5, 9, 16}) EXPECT_NEAR(loss_with(blocks), whole, 1e-6) << blocks << " blocks";
}

TEST(Training, RunsOnADeviceWhoseMemoryTheHostCannotTouch) {
  const Data data = make_data(100);
  const FitOptions options{.batch_size = 32, .epochs = 2, .verbose = 0, .validation_split = 0.2, .blocks = 3};
  const Result on_cpu = train(data, options);
  testing::GuardedDevice device;
  const DeviceScope scope(device);
  EXPECT_TRUE(train(data, options) == on_cpu);
}

TEST(Training, ASteadyStepAllocatesNothing) {
  const Data data = make_data(64 * 40);
  Model model = mlp();
  compile(model, optimizers::Adam());
  const auto counter = std::make_shared<testing::AllocationsOfSteps>(5, 35);
  model.fit(data.x, data.y, {.batch_size = 64, .verbose = 0, .callbacks = {counter}, .blocks = 2});
  EXPECT_EQ(counter->allocations, 0);
}

TEST(Training, TwoCompiledModelsShareVariables) {
  const Data data = make_data(64);
  auto input = Input({20});
  const layers::Dense shared(8, {.activation = "relu"});
  const auto features = shared(input);
  Model first(input, layers::Dense(4)(features), "first");
  Model second(input, layers::Dense(4)(features), "second");
  compile(first);
  compile(second);
  const auto kernel = [&] { return Tensor(shared.weights()[0]).to_vector<float>(); };
  auto before = kernel();
  for (int i = 0; i < 3; ++i) {
    first.train_on_batch(data.x, data.y);
    EXPECT_NE(kernel(), before);
    before = kernel();
    second.train_on_batch(data.x, data.y);
    EXPECT_NE(kernel(), before);
    before = kernel();
  }
  const auto seen_by_first = ops::matmul(data.x, shared.weights()[0]).to_vector<float>();
  second = Model(input, layers::Dense(2)(features), "third");
  EXPECT_EQ(ops::matmul(data.x, shared.weights()[0]).to_vector<float>(), seen_by_first);
}

TEST(Training, FrozenLayersKeepTheirWeightsAndGetNoGradient) {
  const Data data = make_data(64);
  Model model = mlp();
  const LayerRef first = model.layers()[1];
  first.set_trainable(false);
  compile(model);
  const auto frozen = Tensor(first.weights()[0]).to_vector<float>();
  const auto trained = Tensor(model.weights()[2]).to_vector<float>();
  model.fit(data.x, data.y, {.verbose = 0});
  EXPECT_EQ(Tensor(first.weights()[0]).to_vector<float>(), frozen);
  EXPECT_NE(Tensor(model.weights()[2]).to_vector<float>(), trained);
}

/// Counts the samples it has seen in training, and keeps a moving average of their mean.
class Counting final : public Layer {
 public:
  std::string class_name() const override { return "Counting"; }
  void build(const Shape&) override {
    seen_ = add_weight("seen", {}, {.initializer = "zeros", .trainable = false});
    average_ = add_weight("average", {}, {.initializer = "zeros", .trainable = false});
  }
  Tensor call(const Tensor& input, CallContext& context) override {
    if (context.training()) {
      context.update(seen_, ops::sum(ops::ones_like(ops::slice(input, {0, 0}, {None, 1}))), Combine::sum);
      context.update(average_, average_ * 0.5 + ops::mean(input) * 0.5, Combine::mean);
    }
    return input;
  }

 private:
  Variable seen_, average_;
};

TEST(Training, StatesAreCombinedOverBlocks) {
  const Data data = make_data(30);
  const auto run = [&](Dim blocks) {
    clear_session();
    auto input = Input({20});
    const LayerRef counting = make_layer<Counting>();
    Model model(input, layers::Dense(4)(counting(input)), "counted");
    compile(model);
    model.fit(data.x, data.y, {.batch_size = 30, .epochs = 3, .verbose = 0, .blocks = blocks});
    return std::pair(Tensor(counting.weights()[0]).item<float>(), Tensor(counting.weights()[1]).item<float>());
  };
  const float mean = ops::mean(data.x).item<float>();
  for (const Dim blocks : {1, 4, 7}) {
    const auto [seen, average] = run(blocks);
    EXPECT_EQ(seen, 90.0f) << blocks << " blocks";
    EXPECT_NEAR(average, mean * 0.875f, 1e-6f) << blocks << " blocks";
  }
}

class StopAt final : public Callback {
 public:
  StopAt(Dim batch, bool here) : batch_(batch), here_(here) {}
  void on_train_batch_end(Dim batch, const Logs&) override {
    ++seen;
    if (here_ && batch == batch_) control().stop_training();
  }
  Dim seen = 0;

 private:
  Dim batch_;
  bool here_;
};

TEST(Training, AStopOnOneRankStopsAllAtTheSameStep) {
  const Data data = make_data(100);
  std::mutex mutex;
  testing::run_ranks(3, [&](Communicator& communicator) {
    Model model = mlp();
    compile(model);
    const auto stop = std::make_shared<StopAt>(4, communicator.rank() == 1);
    model.fit(data.x, data.y, {.batch_size = 10, .epochs = 5, .verbose = 0, .callbacks = {stop}});
    const std::lock_guard lock(mutex);
    EXPECT_EQ(stop->seen, 5);
    EXPECT_EQ(model.iterations(), 5);
  });
}

TEST(Training, RanksThatDifferRefuseToTrain) {
  const Data data = make_data(60);
  std::mutex mutex;
  int refused = 0;
  testing::run_ranks(2, [&](Communicator& communicator) {
    Model model = mlp();
    compile(model, optimizers::SGD({.learning_rate = communicator.rank() == 0 ? 0.1 : 0.2}));
    try {
      model.fit(data.x, data.y, {.verbose = 0});
    } catch (const ConfigError& e) {
      const std::lock_guard lock(mutex);
      ++refused;
      EXPECT_NE(std::string(e.what()).find("rank 1"), std::string::npos) << e.what();
    }
  });
  EXPECT_EQ(refused, 2);
}

TEST(Training, StepsEpochsAndLimits) {
  const Data data = make_data(70);
  Model model = mlp();
  compile(model);
  History history = model.fit(data.x, data.y, {.batch_size = 32, .epochs = 4, .verbose = 0, .initial_epoch = 2});
  EXPECT_EQ(history.epoch, (std::vector<int>{2, 3}));
  EXPECT_EQ(model.iterations(), 6);
  model.fit(data.x, data.y, {.batch_size = 32, .epochs = 2, .verbose = 0, .steps_per_epoch = 1});
  EXPECT_EQ(model.iterations(), 8);
  model.fit(data.x, data.y, {.batch_size = 32, .epochs = 9, .verbose = 0, .max_steps = 10});
  EXPECT_EQ(model.iterations(), 10);
}

TEST(Training, RefusesWhatDoesNotFit) {
  const Data data = make_data(20);
  Model model = mlp();
  EXPECT_THROW(model.fit(data.x, data.y), ConfigError);  // not compiled
  compile(model);
  EXPECT_THROW(model.fit(data.x, data.y, {.batch_size = 0}), ConfigError);
  EXPECT_THROW(model.fit(data.x, data.y, {.epochs = -3}), ConfigError);
  EXPECT_THROW(model.fit(data.x, data.y, {.validation_split = 1.0}), ConfigError);
  EXPECT_THROW(model.fit(ops::ones({20, 19}), data.y), ShapeError);
  EXPECT_THROW(model.fit(ops::ones({20}), data.y), ShapeError);
  EXPECT_THROW(model.fit({data.x, data.x}, data.y), ConfigError);
  EXPECT_THROW(model.fit(data.x, ops::zeros({19}, Dtype::int64)), ConfigError);
  EXPECT_THROW(model.fit(data.x, ops::full({20}, 4, Dtype::int64)), ConfigError);
  EXPECT_THROW(model.fit(ops::ones({0, 20}), ops::zeros({0}, Dtype::int64)), ConfigError);
  model.fit(data.x, data.y, {.verbose = 0});  // nothing was lost
}

TEST(Permutation, IsOneForEverySizeAndDiffersByEpochAndSeed) {
  for (const Dim n : {1, 2, 3, 10, 64, 1000, 4097}) {
    const Permutation order(n, 5, 0);
    std::vector<bool> seen(static_cast<std::size_t>(n), false);
    for (Dim i = 0; i < n; ++i) {
      ASSERT_LT(order(i), n);
      ASSERT_FALSE(seen[static_cast<std::size_t>(order(i))]);
      seen[static_cast<std::size_t>(order(i))] = true;
    }
  }
  const Permutation a(1000, 5, 0), b(1000, 5, 1), c(1000, 6, 0);
  int equal = 0;
  for (Dim i = 0; i < 1000; ++i) equal += (a(i) == b(i) ? 1 : 0) + (a(i) == c(i) ? 1 : 0) + (a(i) == i ? 1 : 0);
  EXPECT_LT(equal, 15);  // three on average
}

}  // namespace
}  // namespace strata
