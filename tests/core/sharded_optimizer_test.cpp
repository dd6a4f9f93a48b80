// SPDX-License-Identifier: Apache-2.0
// A sharded optimizer: each rank keeps a share of the slots, and all bits are those of one rank that keeps all.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <numeric>

#include "core/training/optimizer_shares.h"
#include "core/training/step_engine.h"
#include "strata/strata.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/expect_error.h"
#include "tests/support/guarded_device.h"
#include "tests/support/pairwise.h"
#include "tests/support/ranks.h"
#include "tests/support/shared_training.h"

namespace strata {
namespace {

using testing::SharedTraining;
using testing::train_shared;

/// In a session of its own, as on several ranks.
testing::SharedTrainingResult train_alone(const SharedTraining& training) {
  testing::SharedTrainingResult result;
  testing::run_ranks(1, [&](Communicator&) { result = train_shared(training, false); });
  return result;
}

void expect_equal_bits(const SharedTraining& training, const std::vector<int>& rank_counts) {
  const auto expected = train_alone(training);
  ASSERT_TRUE(std::isfinite(expected.losses.back()));
  for (const int ranks : rank_counts) {
    testing::run_ranks(ranks, [&](Communicator& communicator) {
      const auto result = train_shared(training, true);
      const std::string where = "rank " + std::to_string(communicator.rank()) + " of " + std::to_string(ranks);
      EXPECT_EQ(result.weights, expected.weights) << where;
      EXPECT_EQ(result.losses, expected.losses) << where;
      EXPECT_EQ(result.slot_names, expected.slot_names) << where;
      EXPECT_EQ(result.slots, expected.slots) << where;
    });
  }
}

using NamedOptimizer = std::pair<std::string, std::function<Optimizer()>>;

class EveryShardedOptimizer : public ::testing::TestWithParam<NamedOptimizer> {};

TEST_P(EveryShardedOptimizer, HasTheBitsOfOneRank) { expect_equal_bits({GetParam().second}, {1, 2, 3, 5}); }

INSTANTIATE_TEST_SUITE_P(Catalogue, EveryShardedOptimizer, ::testing::ValuesIn(testing::catalogue_optimizers()),
                         [](const auto& test) { return test.param.first; });

// Every two of these together: rules of every scope, what comes around them, and what they update.
SharedTraining case_of(const std::vector<int>& levels) {
  OptimizerOptions options;
  if (levels[1] == 1) options.clipnorm = 0.05;
  if (levels[1] == 2) options.global_clipnorm = 0.05;
  if (levels[1] == 3) options.clipvalue = 0.01;
  if (levels[2] == 1) options.weight_decay = 0.01;
  options.use_ema = levels[3] > 0;
  if (levels[3] == 2) options.ema_overwrite_frequency = 2;
  if (levels[4] == 1) options.gradient_accumulation_steps = 2;
  if (levels[5] == 1) options.loss_scale_factor = 8.0;
  const auto make = [options, rule = levels[0], dynamic = levels[5] == 2] {
    using namespace optimizers;
    const Optimizer all[] = {Adam({.learning_rate = 0.05}, options),  Adagrad({.learning_rate = 0.05}, options),
                             Nadam({.learning_rate = 0.05}, options), LARS({.learning_rate = 0.05}, options),
                             Lamb({.learning_rate = 0.05}, options),  Adafactor({.learning_rate = 0.05}, options),
                             Muon({.learning_rate = 0.05}, options),  SGD({.learning_rate = 0.05}, options)};
    const Optimizer& chosen = all[rule];
    return dynamic ? LossScaleOptimizer(chosen, {.initial_scale = 8.0, .dynamic_growth_steps = 2}) : chosen;
  };
  const char* const policies[] = {"float32", "mixed_bfloat16", "mixed_float16", "float64"};
  return {make, policies[levels[6]], levels[7] == 1, levels[8] == 1, levels[9] == 1};
}

class AnyTwoOptions : public ::testing::TestWithParam<std::vector<int>> {};

TEST_P(AnyTwoOptions, OfAShardedOptimizerHaveTheBitsOfOneRank) { expect_equal_bits(case_of(GetParam()), {2, 3, 5}); }

INSTANTIATE_TEST_SUITE_P(Pairs, AnyTwoOptions,
                         ::testing::ValuesIn(testing::pairwise_rows({8, 4, 2, 3, 2, 3, 4, 2, 2, 2})),
                         [](const auto& test) {
                           std::string name;
                           for (const int level : test.param) name += std::to_string(level);
                           return name;
                         });

TEST(ShardedOptimizer, IsTheSameOnADeviceWhoseMemoryTheHostCannotTouch) {
  for (const auto& make : {+[] { return Optimizer("adam"); }, +[] { return optimizers::Adagrad(); },
                           +[] { return optimizers::Lamb({}, {.global_clipnorm = 0.05}); }}) {
    const SharedTraining training{make};
    const auto expected = train_alone(training);
    testing::run_ranks(3, [&](Communicator&) {
      testing::GuardedDevice device;
      const DeviceScope scope(device);
      EXPECT_TRUE(train_shared(training, true) == expected);
    });
  }
}

/// The state of a model with variables that are neither equal nor multiples of cache lines.
std::unique_ptr<FlatState> make_state(const Optimizer& optimizer, const std::vector<Variable>& variables,
                                      Communicator* shared_by) {
  auto state = std::make_unique<FlatState>(variables, std::vector<Variable>{}, std::vector<WeightRule>{}, cpu_device());
  state->create_slots(optimizer, shared_by);
  return state;
}

std::vector<Variable> uneven_variables() {
  std::vector<Variable> variables;
  for (const Shape& shape : {Shape{301, 203}, Shape{203}, Shape{203, 41}, Shape{41}, Shape{5, 1, 7}, Shape{41, 90}}) {
    const Dtype dtype = variables.size() % 3 == 2 ? Dtype::float64 : Dtype::float32;
    variables.emplace_back("v" + std::to_string(variables.size()) + "/kernel", ops::zeros(shape, dtype));
  }
  return variables;
}

std::size_t slot_bytes(const FlatState& state) {
  std::size_t bytes = 0;
  for (const FlatSet& set : state.trainable()) {
    for (const FlatSlot& slot : set.slots) bytes += slot.values.storage->bytes();
  }
  return bytes;
}

TEST(ShardedOptimizer, AllRanksTogetherHoldTheSlotsOnce) {
  for (const auto& [name, make] : testing::catalogue_optimizers()) {
    SCOPED_TRACE(name);
    const std::size_t alone = slot_bytes(*make_state(make(), uneven_variables(), nullptr));
    for (const int ranks : {2, 3, 5}) {
      std::atomic<std::size_t> sum = 0, most = 0;
      testing::run_ranks(ranks, [&](Communicator& communicator) {
        const std::size_t own = slot_bytes(*make_state(make(), uneven_variables(), &communicator));
        sum += own;
        for (std::size_t seen = most; own > seen && !most.compare_exchange_weak(seen, own);) continue;
      });
      EXPECT_EQ(sum, alone) << ranks << " ranks";
      const Optimizer optimizer = make();
      if (optimizer->scope() != UpdateScope::elementwise) continue;  // the largest variable stays whole
      const std::size_t slots = optimizer.slots().size();
      const std::size_t row = 16 * 203 * sizeof(float);  // the coarsest cut: whole rows that end with a cache line
      EXPECT_LE(most, alone / static_cast<std::size_t>(ranks) + 2 * slots * row) << ranks << " ranks";
    }
  }
}

TEST(ShardedOptimizer, SharesAreCutWhereTheRuleCanBe) {
  const auto cuts_of = [](const Optimizer& optimizer) {
    const auto state = make_state(optimizer, uneven_variables(), nullptr);
    return share_out(optimizer, state->trainable()[0], 4).cuts;
  };
  const auto state = make_state("adam", uneven_variables(), nullptr);
  const FlatLayout& layout = state->trainable()[0].layout;
  const auto is_begin = [&](Dim cut) {
    return cut == layout.elements ||
           std::find(layout.offsets.begin(), layout.offsets.end(), cut) != layout.offsets.end();
  };
  const std::vector<Dim> fine = cuts_of("adam");
  for (std::size_t r = 0; r + 1 < fine.size(); ++r) {
    EXPECT_EQ(fine[r] % 16, 0) << "a cache line";
    EXPECT_NEAR(static_cast<double>(fine[r + 1] - fine[r]), static_cast<double>(layout.elements) / 4, 32.0);
  }
  EXPECT_FALSE(is_begin(fine[1])) << "the first variable is the largest";
  for (const Optimizer& whole :
       {optimizers::Lamb(), optimizers::Adafactor(), optimizers::Muon(), optimizers::Adam({}, {.clipnorm = 1.0}),
        optimizers::Adam({}, {.global_clipnorm = 1.0})}) {
    for (const Dim cut : cuts_of(whole)) EXPECT_TRUE(is_begin(cut)) << whole.describe() << " " << cut;
  }
  for (const Dim cut : cuts_of(optimizers::Adagrad())) {
    EXPECT_EQ(std::min<Dim>(cut, 301 * 203) % 203, 0) << "rows stay whole";
  }
}

TEST(ShardedOptimizer, MoreRanksThanVariablesLeaveSomeWithoutAShare) {
  auto make = [] { return optimizers::Lamb(); };
  testing::run_ranks(5, [&](Communicator& communicator) {
    const std::vector<Variable> one{Variable("a/kernel", ops::zeros({3, 3}))};
    const auto state = make_state(make(), one, &communicator);
    std::size_t bytes = slot_bytes(*state);
    std::vector<std::size_t> all(5);
    communicator.allgather(&bytes, all.data(), sizeof(bytes));
    EXPECT_EQ(std::accumulate(all.begin(), all.end(), std::size_t{0}), 2 * 64U);
    EXPECT_EQ(std::count(all.begin(), all.end(), 0U), 4);
  });
}

TEST(ShardedOptimizer, AnOptimizerWithoutSlotsHasNothingToShare) {
  testing::run_ranks(2, [&](Communicator& communicator) {
    EXPECT_EQ(make_state("sgd", uneven_variables(), &communicator)->shared_by(), nullptr);
    EXPECT_EQ(make_state("adam", uneven_variables(), &communicator)->shared_by(), &communicator);
  });
}

TEST(ShardedOptimizer, OneRankThatIsNotAskedToShareIsNamed) {
  testing::run_ranks(2, [&](Communicator& communicator) {
    const SharedTraining training{[] { return Optimizer("adam"); }};
    testing::expect_error_with<ConfigError>([&] { train_shared(training, communicator.rank() == 1); },
                                            "has another model than rank 0");
  });
}

TEST(ShardedOptimizer, AnAveragedModelTakesItsAveragesAtTheEnd) {
  const auto train = [](bool shard) {
    const SharedTraining training{[] { return optimizers::Adam({}, {.use_ema = true, .ema_momentum = 0.5}); }};
    Model model = testing::shared_training_model(training);
    model.compile({.optimizer = training.optimizer(), .loss = "mse", .shard_optimizer = shard});
    model.fit(testing::shared_training_words(23, 1, training), testing::shared_training_targets(23),
              {.batch_size = 10, .epochs = 2, .verbose = 0, .blocks = 4});
    return model.weights_hash();
  };
  const std::uint64_t expected = train(false);
  for (const int ranks : {2, 3}) {
    testing::run_ranks(ranks, [&](Communicator&) { EXPECT_EQ(train(true), expected) << ranks << " ranks"; });
  }
}

TEST(ShardedOptimizer, ASteadyStepAllocatesNothing) {
  for (const auto& make : {+[] { return Optimizer("adam"); }, +[] { return optimizers::Adagrad(); },
                           +[] { return optimizers::Lamb({}, {.global_clipnorm = 0.05}); }}) {
    int allocations = -1;
    testing::run_ranks(2, [&](Communicator& communicator) {
      const SharedTraining training{make};
      const Model model = testing::shared_training_model(training);
      const Optimizer optimizer = make();
      FlatState state(model.layer().trainable_weights(), model.layer().non_trainable_weights(), {}, cpu_device());
      state.create_slots(optimizer, &communicator);
      state.adopt();
      StepEngine engine(StepKind::train, std::static_pointer_cast<Functional>(model.shared()),
                        make_objective({"output"}, "mse", {}, {}, {}),
                        {{{{3}, Dtype::int32}}, {{{2}, Dtype::float32}}, {}}, state, communicator,
                        {.blocks = 2, .threads = 1});
      const std::vector<HostArray> arrays{HostArray(testing::shared_training_words(20, 1, training)),
                                          HostArray(testing::shared_training_targets(20))};
      const auto step = [&](std::int64_t number) {
        engine.run({arrays, nullptr, 0, 20, 0, number, 0}, &optimizer, number, true);
      };
      for (int warm = 0; warm < 4; ++warm) step(warm);
      communicator.barrier();
      if (communicator.rank() == 0) testing::start_counting_allocations();
      communicator.barrier();
      for (int steady = 4; steady < 8; ++steady) step(steady);
      communicator.barrier();
      if (communicator.rank() == 0) allocations = testing::stop_counting_allocations();
      communicator.barrier();
    });
    EXPECT_EQ(allocations, 0) << make().describe();
  }
}

}  // namespace
}  // namespace strata
