// SPDX-License-Identifier: Apache-2.0
// Gradients of large embeddings stay by rows: the same bits as dense ones, and nothing that grows with the vocabulary.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/ops/ops.h"
#include "core/training/step_engine.h"
#include "strata/strata.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/guarded_device.h"
#include "tests/support/ranks.h"
#include "tests/support/recording_communicator.h"

namespace strata {
namespace {

using testing::RecordingCommunicator;

constexpr Dim kVocabulary = 700;
constexpr Dim kWords = 3;  // of a sample

/// An embedding whose gradient is dense: the table passes through an op.
class DenseLookup final : public Layer {
 public:
  using Layer::Layer;
  std::string class_name() const override { return "DenseLookup"; }
  void build(const Shape&) override { table_ = add_weight("embeddings", {kVocabulary, 5}, {.initializer = "uniform"}); }
  Tensor call(const Tensor& input, CallContext&) override { return ops::gather(table_ * 1.0, input); }

 private:
  Variable table_;
};

Tensor words(Dim samples, int seed) {
  const RandomKey key{constant<std::int64_t>({seed, 0, 0}, {3}), 1};
  // Products favour small numbers: some rows are touched by several samples and blocks. Row 0 often, the last ones
  // never.
  const Tensor u = ops::random_uniform(key, {samples, kWords}, 0.0, 1.0);
  return ops::cast(ops::floor(u * u * static_cast<double>(kVocabulary - 9)), Dtype::int32);
}

Tensor targets(Dim samples) { return ops::sin(ops::cast(ops::iota({samples, 2}, 0), Dtype::float32) * 0.7); }

struct Trained {
  std::vector<float> weights;
  std::vector<double> losses;
  friend bool operator==(const Trained&, const Trained&) = default;
};

/// Dense layers lie on both sides of the table, whose gradient so cuts the buffer of the others.
Model embedding_model(const LayerRef& lookup) {
  auto ids = Input({kWords}, {.dtype = Dtype::int32});
  Tensor scale = layers::Dense(1, {.name = "first"})(layers::Rescaling(0.001)(ids));
  Tensor x = layers::Flatten()(lookup(ids));
  return Model(ids, layers::Dense(2, {.name = "last"})(layers::Concatenate()({scale, x})));
}

LayerRef dense_lookup() { return make_layer<DenseLookup>(LayerOptions{.name = "table"}); }
LayerRef row_lookup() { return layers::Embedding(kVocabulary, 5, {.name = "table"}); }

Trained train(const LayerRef& lookup, const Optimizer& optimizer, Dim blocks,
              std::shared_ptr<Communicator> communicator = nullptr) {
  Model model = embedding_model(lookup);
  model.compile({.optimizer = optimizer, .loss = "mse", .communicator = std::move(communicator)});
  Trained result;
  // Also steps with fewer samples than blocks, and one with more than all before.
  int seed = 0;
  for (const Dim samples : {11, 2, 5, 11, 29, 7}) {
    result.losses.push_back(model.train_on_batch(words(samples, ++seed), targets(samples), {.blocks = blocks}).at(0));
  }
  for (const Variable& weight : model.weights()) {
    const auto values = weight.value().to_vector<float>();
    result.weights.insert(result.weights.end(), values.begin(), values.end());
  }
  EXPECT_TRUE(std::isfinite(result.losses.back()));
  return result;
}

/// Rules that leave untouched rows alone, and all that makes a step see every row.
std::vector<std::pair<std::string, std::function<Optimizer()>>> all_optimizers() {
  using namespace optimizers;
  const auto halving = schedules::ExponentialDecay({.initial_learning_rate = 0.5, .decay_steps = 2, .decay_rate = 0.5});
  return {{"sgd", [] { return SGD({.learning_rate = 0.5}); }},
          {"sgd clipvalue", [] { return SGD({.learning_rate = 0.5}, {.clipvalue = 0.01}); }},
          {"adagrad", [] { return Adagrad({.learning_rate = 0.5}); }},
          {"adagrad schedule", [=] { return Adagrad({.learning_rate = halving}); }},
          {"momentum", [] { return SGD({.learning_rate = 0.5, .momentum = 0.9}); }},
          {"adam", [] { return Adam({.learning_rate = 0.1}); }},
          {"decay", [] { return SGD({.learning_rate = 0.5}, {.weight_decay = 0.01}); }},
          {"clipnorm", [] { return SGD({.learning_rate = 0.5}, {.clipnorm = 0.1}); }},
          {"global_clipnorm", [] { return SGD({.learning_rate = 0.5}, {.global_clipnorm = 0.1}); }},
          {"average", [] { return SGD({.learning_rate = 0.5}, {.use_ema = true, .ema_overwrite_frequency = 3}); }},
          {"accumulation", [] { return SGD({.learning_rate = 0.5}, {.gradient_accumulation_steps = 2}); }},
          {"loss scale", [] { return LossScaleOptimizer(SGD({.learning_rate = 0.5}), {.dynamic_growth_steps = 2}); }},
          {"lamb", [] { return Lamb({.learning_rate = 0.1}); }}};
}

Trained train_dense(const Optimizer& optimizer, Dim blocks) {
  clear_session();
  return train(dense_lookup(), optimizer, blocks);
}

TEST(RowGradients, GiveTheBitsOfDenseOnes) {
  for (const auto& [name, make] : all_optimizers()) {
    SCOPED_TRACE(name);
    for (const Dim blocks : {1, 4, 7}) {
      const Trained expected = train_dense(make(), blocks);
      clear_session();
      EXPECT_EQ(train(row_lookup(), make(), blocks), expected) << blocks << " blocks";
    }
  }
}

TEST(RowGradients, DoNotDependOnRanks) {
  for (const auto& [name, make] : all_optimizers()) {
    SCOPED_TRACE(name);
    const Trained expected = train_dense(make(), 5);
    for (const int ranks : {2, 3, 5}) {
      testing::run_ranks(
          ranks, [&](Communicator&) { EXPECT_EQ(train(row_lookup(), make(), 5), expected) << ranks << " ranks"; });
    }
  }
}

TEST(RowGradients, AreTheSameOnADeviceWhoseMemoryTheHostCannotTouch) {
  for (const auto& [name, make] : all_optimizers()) {
    SCOPED_TRACE(name);
    const Trained expected = train_dense(make(), 4);
    testing::GuardedDevice device;
    const DeviceScope scope(device);
    clear_session();
    EXPECT_EQ(train(row_lookup(), make(), 4), expected);
  }
}

/// What is summed over blocks: lists of rows, and dense gradients.
std::vector<RecordingCommunicator::Prepared> prepared_sums(const LayerRef& lookup, Dim samples) {
  const auto single = make_single_communicator();
  const auto recording = std::make_shared<RecordingCommunicator>(*single);
  Model model = embedding_model(lookup);
  model.compile({.optimizer = "sgd", .loss = "mse", .communicator = recording});
  model.train_on_batch(words(samples, 1), targets(samples), {.blocks = 2});
  return recording->prepared();
}

std::size_t count_rows(const std::vector<RecordingCommunicator::Prepared>& sums) {
  return static_cast<std::size_t>(std::count_if(sums.begin(), sums.end(), [](const auto& sum) { return sum.rows; }));
}

TEST(RowGradients, TravelAsRowsWhereTheseAreFewerThanTheTableHas) {
  const auto few = prepared_sums(row_lookup(), 20);
  EXPECT_EQ(count_rows(few), 1U);
  for (const auto& sum : few) EXPECT_LT(sum.bytes, std::size_t{kVocabulary} * 5 * sizeof(float));
  EXPECT_EQ(count_rows(prepared_sums(row_lookup(), 200)), 0U) << "600 words of a vocabulary of 700";
  EXPECT_EQ(count_rows(prepared_sums(dense_lookup(), 20)), 0U);
}

TEST(RowGradients, FollowWhatTheUserDoesWithTheTable) {
  clear_session();
  const LayerRef shared = row_lookup();
  auto a = Input({kWords}, {.dtype = Dtype::int32}), b = Input({kWords}, {.dtype = Dtype::int32});
  Model twice({a, b}, {layers::Dense(2)(layers::Flatten()(layers::Subtract()({shared(a), shared(b)})))});
  twice.compile({.optimizer = optimizers::SGD({.learning_rate = 1.0}), .loss = "mse"});
  const Tensor before = shared.get_weights()[0];
  const Tensor ids = words(4, 1);
  twice.train_on_batch({ids, ids}, targets(4), {});
  EXPECT_EQ(shared.get_weights()[0].to_vector<float>(), before.to_vector<float>())
      << "what two calls of one layer add cancels out";
  twice.train_on_batch({ids, words(4, 2)}, targets(4), {});
  EXPECT_NE(shared.get_weights()[0].to_vector<float>(), before.to_vector<float>());
}

TEST(RowGradients, ASteadyStepAllocatesNothing) {
  const auto single = make_single_communicator();
  for (const auto& [name, make] : all_optimizers()) {
    SCOPED_TRACE(name);
    clear_session();
    Model model = embedding_model(row_lookup());
    const Optimizer optimizer = make();
    FlatState state(model.layer().trainable_weights(), {}, {}, cpu_device());
    state.create_slots(optimizer);
    state.adopt();
    StepEngine engine(StepKind::train, std::static_pointer_cast<Functional>(model.shared()),
                      make_objective({"last"}, "mse", {}, {}, {}),
                      {{{{kWords}, Dtype::int32}}, {{{2}, Dtype::float32}}, {}}, state, *single, {.blocks = 3});
    const std::vector<HostArray> arrays{HostArray(words(20, 1)), HostArray(targets(20))};
    const auto step = [&](std::int64_t number) {
      engine.run({arrays, nullptr, 0, 20, 0, number, 0}, &optimizer, number);
    };
    for (int warm = 0; warm < 4; ++warm) step(warm);
    testing::start_counting_allocations();
    for (int steady = 4; steady < 8; ++steady) step(steady);
    EXPECT_EQ(testing::stop_counting_allocations(), 0);
  }
}

}  // namespace
}  // namespace strata
