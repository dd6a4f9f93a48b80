// SPDX-License-Identifier: Apache-2.0
// A variable that is larger than a bucket is summed in parts, and updated part by part where its optimizer allows.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "core/model/session.h"
#include "core/ops/ops.h"
#include "core/training/model.h"
#include "layers/dense.h"
#include "tests/support/ranks.h"
#include "tests/support/recording_communicator.h"

namespace strata {
namespace {

using testing::RecordingCommunicator;

/// What is left of three steps of a model whose first kernel has 5 MB.
struct Outcome {
  std::uint64_t weights = 0;
  std::vector<std::size_t> sums;  // bytes of each that was prepared
  bool scattered = false;         // one of them gives each rank what it updates alone
};

Outcome train(int ranks, const std::function<Optimizer()>& optimizer, NanPolicy policy, bool shard) {
  Outcome outcome;
  testing::run_ranks(ranks, [&](Communicator& communicator) {
    const auto recording = std::make_shared<RecordingCommunicator>(communicator);
    set_seed(3);
    auto input = Input({1000});
    Model model(input, layers::Dense(2)(layers::Dense(1250, {.activation = "tanh"})(input)));
    model.compile({.optimizer = optimizer(), .loss = "mse", .communicator = recording, .shard_optimizer = shard});
    const Tensor x = ops::random_uniform({constant<std::int64_t>({1, 2, 3}, {3})}, {24, 1000}, -1.0, 1.0);
    model.fit(x, ops::sum(x, {1}, true) * ops::ones({1, 2}),
              {.batch_size = 8, .verbose = 0, .blocks = 6, .nan_policy = policy, .bucket_mb = 0.5});
    if (communicator.rank() > 0) return;
    outcome.weights = model.weights_hash();
    for (const auto& prepared : recording->prepared()) {
      outcome.sums.push_back(prepared.bytes);
      outcome.scattered = outcome.scattered || prepared.scattered;
    }
  });
  return outcome;
}

class LargeVariable : public ::testing::TestWithParam<std::pair<std::string, std::function<Optimizer()>>> {};

TEST_P(LargeVariable, IsSummedInPartsToTheSameBits) {
  const auto& make = GetParam().second;
  const Outcome alone = train(1, make, NanPolicy::ignore, false);
  EXPECT_GT(*std::max_element(alone.sums.begin(), alone.sums.end()), std::size_t{5'000'000});
  for (const int ranks : {2, 3}) {
    for (const bool shard : {false, true}) {
      const Outcome outcome = train(ranks, make, NanPolicy::ignore, shard);
      EXPECT_EQ(outcome.weights, alone.weights) << ranks << " ranks, sharded: " << shard;
      EXPECT_EQ(outcome.scattered, shard && GetParam().first != "clipped_together") << "SGD has no slots to share";
      EXPECT_LT(*std::max_element(outcome.sums.begin(), outcome.sums.end()), std::size_t{4'200'000});
    }
  }
  for (const bool shard : {false, true}) {
    const Outcome outcome = train(2, make, NanPolicy::skip, shard);
    EXPECT_EQ(outcome.weights, alone.weights) << "sharded: " << shard;
    EXPECT_FALSE(outcome.scattered) << "whether all gradients are finite is seen by every rank";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Optimizers, LargeVariable,
    ::testing::Values(std::pair{"adam", [] { return Optimizer("adam"); }},
                      std::pair{"clipped", [] { return optimizers::RMSprop({}, {.clipnorm = 0.1}); }},
                      std::pair{"clipped_together", [] { return optimizers::SGD({}, {.global_clipnorm = 0.1}); }},
                      std::pair{"norms", [] { return optimizers::Lamb(); }},
                      std::pair{"whole", [] { return optimizers::Adafactor(); }},
                      std::pair{"accumulated",
                                [] { return optimizers::Adam({}, {.gradient_accumulation_steps = 2}); }}),
    [](const auto& test) { return test.param.first; });

}  // namespace
}  // namespace strata
