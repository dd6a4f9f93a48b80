// SPDX-License-Identifier: Apache-2.0
// What an update gives does not depend on threads, buckets or ranks; a step allocates nothing.
#include <gtest/gtest.h>

#include <cmath>

#include "core/ops/square_sums.h"
#include "core/program/autodiff.h"
#include "strata/strata.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/guarded_device.h"
#include "tests/support/optimizer_steps.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

using testing::OptimizerSteps;

/// Rules of every scope, options with norms of one and of all variables, and both kinds of steps.
std::vector<std::pair<std::string, Optimizer>> optimizers_with_norms() {
  using namespace optimizers;
  return {{"adam", Adam({.learning_rate = 0.01}, {.weight_decay = 0.01, .clipvalue = 0.5})},
          {"sgd clipnorm", SGD({.momentum = 0.9}, {.clipnorm = 1.0})},
          {"adam global_clipnorm", Adam({.learning_rate = 0.01}, {.global_clipnorm = 1.0})},
          {"lamb", Lamb({.learning_rate = 0.01}, {.weight_decay = 0.01})},
          {"lamb global_clipnorm", Lamb({.learning_rate = 0.01}, {.global_clipnorm = 1.0})},
          {"lars clipnorm", LARS({.learning_rate = 0.5}, {.clipnorm = 1.0})},
          {"adafactor global_clipnorm", Adafactor({}, {.global_clipnorm = 1.0})},
          {"loss scale", LossScaleOptimizer(Adam({.learning_rate = 0.01}, {.global_clipnorm = 1.0}),
                                            {.initial_scale = 8.0, .dynamic_growth_steps = 2})},
          {"muon", Muon({.learning_rate = 0.01})},
          {"accumulation",
           Nadam({.learning_rate = 0.01},
                 {.clipnorm = 1.0, .use_ema = true, .ema_overwrite_frequency = 2, .gradient_accumulation_steps = 2})}};
}

/// Sizes around the chunks of norms and the grain of threads, one variable with rules of its own.
testing::OptimizerStepsOptions mixed_options(int threads, std::size_t buckets) {
  const RandomKey key{constant<std::int64_t>({1, 2, 3}, {3}), 4};
  testing::OptimizerStepsOptions options{{"a/kernel", "a/bias", "b/kernel", "b/bias", "c/kernel"}, {}};
  for (const Shape& shape : {Shape{150, 203}, Shape{203}, Shape{203, 41}, Shape{41}, Shape{3, 1, 7}}) {
    options.start.push_back(ops::random_normal({key.state, options.start.size()}, shape));
    options.rules.emplace_back();
  }
  options.rules[2] = {.regularizer = regularizers::L2(0.01), .constraint = constraints::MaxNorm(3.0)};
  options.rules[3].learning_rate_factor = 0.5;
  options.threads = threads;
  options.buckets = buckets;
  return options;
}

std::vector<std::vector<float>> state_after_steps(Optimizer optimizer, int threads, std::size_t buckets) {
  const testing::OptimizerStepsOptions options = mixed_options(threads, buckets);
  OptimizerSteps steps(optimizer, options);
  for (int step = 0; step < 4; ++step) {
    std::vector<Tensor> gradients;
    for (const Tensor& start : options.start) gradients.push_back(ops::sin(start * (step + 1.0)));
    steps.apply(gradients);
  }
  std::vector<std::vector<float>> state;
  for (std::size_t i = 0; i < options.start.size(); ++i) state.push_back(steps.variable(i).to_vector<float>());
  for (const NamedSlot& slot : steps.slots()) {
    state.push_back(ops::cast(slot.value, Dtype::float32).to_vector<float>());
  }
  return state;
}

TEST(OptimizerBits, DoNotDependOnThreadsOrBuckets) {
  const auto names = optimizers_with_norms();
  for (std::size_t o = 0; o < names.size(); ++o) {
    SCOPED_TRACE(names[o].first);
    const auto run = [&](int threads, std::size_t buckets) {
      return state_after_steps(optimizers_with_norms()[o].second, threads, buckets);
    };
    const auto expected = run(1, 1);
    for (const float value : expected[0]) ASSERT_TRUE(std::isfinite(value));
    for (const auto& [threads, buckets] : {std::pair{2, 1}, {3, 1}, {1, 2}, {2, 3}, {3, 5}}) {
      EXPECT_EQ(run(threads, static_cast<std::size_t>(buckets)), expected) << threads << " " << buckets;
    }
  }
}

/// A few epochs of a small regression, with variables of several chunks.
std::uint64_t train(const Optimizer& optimizer) {
  Session::current().clear();
  auto input = Input({90});
  auto x = layers::Dense(101, {.activation = "tanh", .kernel_regularizer = "l2"})(input);
  Model model(input, layers::Dense(3)(x));
  model.compile({.optimizer = optimizer, .loss = "mse"});
  const RandomKey key{constant<std::int64_t>({5, 0, 0}, {3}), 1};
  const Tensor data = ops::random_normal(key, {28, 90});
  model.fit(data, ops::slice(data, {0, 0}, {28, 3}), {.batch_size = 12, .epochs = 2, .verbose = 0, .blocks = 4});
  return model.weights_hash();
}

TEST(OptimizerBits, DoNotDependOnRanks) {
  const auto names = optimizers_with_norms();
  for (std::size_t o = 0; o < names.size(); ++o) {
    SCOPED_TRACE(names[o].first);
    const std::uint64_t expected = train(names[o].second);
    for (const int ranks : {2, 4}) {
      testing::run_ranks(ranks, [&](Communicator&) {
        EXPECT_EQ(train(optimizers_with_norms()[o].second), expected) << ranks << " ranks";
      });
    }
  }
}

TEST(OptimizerBits, AreTheSameOnADeviceWhoseMemoryTheHostCannotTouch) {
  const auto names = optimizers_with_norms();
  for (std::size_t o = 0; o < names.size(); ++o) {
    SCOPED_TRACE(names[o].first);
    const std::uint64_t expected = train(names[o].second);
    testing::GuardedDevice device;
    const DeviceScope scope(device);
    EXPECT_EQ(train(optimizers_with_norms()[o].second), expected);
  }
}

TEST(OptimizerBits, ASteadyStepAllocatesNothing) {
  for (const auto& [name, optimizer] : optimizers_with_norms()) {
    const auto options = mixed_options(1, 2);
    OptimizerSteps steps(optimizer, options);
    for (int step = 0; step < 4; ++step) steps.apply(options.start);
    const int of_the_harness = [&] {
      testing::start_counting_allocations();
      steps.copy_gradients(options.start);
      return testing::stop_counting_allocations();
    }();
    testing::start_counting_allocations();
    steps.apply(options.start);
    steps.apply(options.start);
    EXPECT_EQ(testing::stop_counting_allocations(), 2 * of_the_harness) << name;
  }
}

/// Instructions of an update of 1000 elements that go over all of them.
std::size_t passes(const Optimizer& optimizer) {
  const Variable variable("a/kernel", ops::zeros({1000}));
  UpdateCompiler compiler(optimizer, cpu_device());
  const std::vector<std::optional<Shape>> slots(optimizer.slots().size(), Shape{1000});
  const auto& update = compiler.get(treatment_of(optimizer, {.variable = variable}),
                                    {UpdatePart::collect, UpdatePart::apply}, true, Dtype::float32, 1000, slots);
  std::size_t count = 0;
  for (const std::string& kernel : update.program->kernel_list()) {
    count += static_cast<std::size_t>(kernel.find("(1000,)") != std::string::npos);
  }
  return count;
}

// Ranges are updated piece by piece, so that what several ops share stays in a cache.
TEST(OptimizerBits, AnElementwiseUpdateIsOneOpOrThoseAroundAdam) {
  using namespace optimizers;
  for (const Optimizer& optimizer :
       {SGD(), SGD({.momentum = 0.9}), SGD({.momentum = 0.9, .nesterov = true}), RMSprop(),
        RMSprop({.momentum = 0.9, .centered = true}), Adam(), Adam({.amsgrad = true}), Adagrad(), Adadelta(), Adamax(),
        Nadam(), Ftrl(), Lion(), SGD({.momentum = 0.9}, {.clipvalue = 1.0, .gradient_accumulation_steps = 2})}) {
    EXPECT_EQ(passes(optimizer), 1U) << optimizer.describe();
  }
  EXPECT_EQ(passes(AdamW()), 2U) << "decay comes first";
  EXPECT_EQ(passes(Adam({}, {.clipvalue = 1.0})), 2U);
  EXPECT_EQ(passes(Adam({}, {.use_ema = true})), 2U) << "the average comes last";
}

TEST(OptimizerBits, NormsAreSumsOfChunks) {
  const Dim n = 3 * kNormChunk + 5;
  const Tensor x = ops::sin(ops::cast(ops::iota({n}, 0), Dtype::float32));
  const auto all = ops::square_sums(x).to_vector<double>();
  ASSERT_EQ(all.size(), 4U);
  for (Dim c = 0; c < 4; ++c) {
    const Tensor chunk = ops::slice(x, {c * kNormChunk}, {std::min(n, (c + 1) * kNormChunk)});
    EXPECT_EQ(ops::square_sums(chunk).item<double>(), all[static_cast<std::size_t>(c)]);
    EXPECT_NEAR(all[static_cast<std::size_t>(c)],
                ops::sum(ops::square(ops::cast(chunk, Dtype::float64))).item<double>(), 1e-9);
  }
}

TEST(OptimizerBits, TheGradientOfAPenaltyComesWithTheUpdate) {
  const Tensor start = constant<float>({1.0F, -2.0F, 0.5F, 3.0F, 0.25F, -1.0F}, {2, 3});
  const Tensor gradient = constant<float>({0.5F, 0.5F, -1.0F, 0.0F, 2.0F, 1.0F}, {2, 3});
  for (const Regularizer& rule : {regularizers::L1L2(0.1, 0.2), regularizers::OrthogonalRegularizer(0.3)}) {
    OptimizerSteps steps(optimizers::SGD({.learning_rate = 0.1}), {{"a/kernel"}, {start}, {{.regularizer = rule}}});
    steps.apply({gradient});
    const Tensor slope = dense(gradients({rule(start)}, {start})[0], start);
    const auto expected = (start - (gradient + slope) * 0.1).to_vector<float>();
    const auto actual = steps.variable(0).to_vector<float>();
    for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 1e-6F);
  }
}

}  // namespace
}  // namespace strata
