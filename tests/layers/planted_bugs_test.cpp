// SPDX-License-Identifier: Apache-2.0
// What would break the promise of equal bits is planted here, and has to be found by the comparison that the tests of
// equal bits make, or refused before training.
#include <gtest/gtest.h>

#include <numeric>

#include "core/base/error.h"
#include "core/program/forwarding_communicator.h"
#include "strata/strata.h"
#include "tests/support/exact_models.h"
#include "tests/support/exact_training.h"
#include "tests/support/expect_error.h"
#include "tests/support/ranks.h"

namespace strata::testing {
namespace {

/// Adds a rank's blocks one after the other, then the ranks in their order: as exact as the tree, but rounded
/// otherwise.
template <class T>
class SumInRankOrder final : public PreparedCollective {
 public:
  SumInRankOrder(Communicator& communicator, const BlockSumSpec& spec)
      : communicator_(communicator), count_(static_cast<std::size_t>(spec.count)) {
    for (void* partial : spec.partials) partials_.push_back(static_cast<T*>(partial));
  }

  void start() override {}
  bool advance() override { return false; }
  void wait() override {
    std::vector<T> own(count_, T(0));
    for (const T* partial : partials_) add(own, partial);
    std::vector<T> all(count_ * static_cast<std::size_t>(communicator_.size()));
    communicator_.allgather(own.data(), all.data(), count_ * sizeof(T));
    std::vector<T> sum(count_, T(0));
    for (std::size_t at = 0; at < all.size(); at += count_) add(sum, all.data() + at);
    std::copy(sum.begin(), sum.end(), partials_[0]);
  }

 private:
  static void add(std::vector<T>& to, const T* from) {
    for (std::size_t i = 0; i < to.size(); ++i) to[i] += from[i];
  }

  Communicator& communicator_;
  std::size_t count_;
  std::vector<T*> partials_;
};

class RankOrderCommunicator final : public ForwardingCommunicator {
 public:
  using ForwardingCommunicator::ForwardingCommunicator;
  std::unique_ptr<PreparedCollective> prepare_block_sum(Device&, const BlockSumSpec& spec) override {
    if (spec.dtype == Dtype::float64) return std::make_unique<SumInRankOrder<double>>(inner(), spec);
    return std::make_unique<SumInRankOrder<float>>(inner(), spec);
  }
};

/// The differences from one rank of runs in which `planted` is what each rank has planted.
std::vector<std::string> differences(const TrainingCase& run, const std::function<Planted(Communicator&)>& planted) {
  const TrainingResult expected = train_on_threads(run.reference())[0];
  std::vector<std::string> found(static_cast<std::size_t>(run.ranks));
  run_ranks(run.ranks, [&](Communicator& communicator) {
    found[static_cast<std::size_t>(communicator.rank())] = difference(expected, train(run, planted(communicator)));
  });
  return found;
}

void expect_found_in_the_weights(const std::vector<std::string>& found) {
  for (const std::string& text : found) EXPECT_PRED_FORMAT2(::testing::IsSubstring, "weight 0 ", text);
}

TEST(PlantedBugs, NothingPlantedNothingFound) {
  const auto found = differences({.ranks = 3}, [](Communicator&) { return Planted(); });
  EXPECT_EQ(found, std::vector<std::string>(3));
}

// Eight blocks on two ranks leave one sum of two numbers, which has no order.
TEST(PlantedBugs, AnotherOrderOfSumsIsFound) {
  for (const int ranks : {3, 4, 5}) {
    expect_found_in_the_weights(differences({.ranks = ranks}, [](Communicator& communicator) {
      return Planted{.communicator = std::make_shared<RankOrderCommunicator>(communicator)};
    }));
  }
}

// The same sums without the bug of order: whole numbers add up exactly in any order.
TEST(PlantedBugs, TheOtherOrderIsNoOtherSum) {
  run_ranks(3, [](Communicator& communicator) {
    RankOrderCommunicator planted(communicator);
    std::vector<float> a(5, 1.F + static_cast<float>(communicator.rank())), b(5, 100.F);
    const auto own = rank_blocks(5, communicator.size(), communicator.rank()).size();
    std::vector<void*> partials{a.data(), b.data()};
    partials.resize(static_cast<std::size_t>(own));
    const auto sum = planted.prepare_block_sum(cpu_device(), {Dtype::float32, 5, 5, partials});
    sum->start();
    sum->wait();
    EXPECT_EQ(a, std::vector<float>(5, 206.F));
  });
}

/// Sets another seed once fit has compared the seeds.
struct OtherSeed : Callback {
  explicit OtherSeed(int r) : rank(r) {}
  void on_train_begin() override { Session::current().set_seed(100 + static_cast<std::uint64_t>(rank)); }
  int rank;
};

TEST(PlantedBugs, ASeedThatDependsOnTheRankIsFound) {
  // Rank 0 keeps to the plan: what differs are the others' dropout and order of samples.
  const auto found = differences({.model = "convolutions", .ranks = 3}, [](Communicator& communicator) {
    Planted planted;
    if (communicator.rank() > 0) planted.callbacks = {OtherSeed(communicator.rank())};
    else planted.callbacks = {Callback()};
    return planted;
  });
  expect_found_in_the_weights(found);
}

TEST(PlantedBugs, ASeedThatDependsOnTheRankIsRefused) {
  expect_error_with<ConfigError>(
      [] {
        run_ranks(2, [](Communicator& communicator) {
          ExactModel made = exact_model("mlp");
          made.model.compile({.loss = made.loss});
          set_seed(static_cast<std::uint64_t>(communicator.rank()));
          const Samples data = exact_samples("mlp", 20, 1);
          made.model.fit(data.x, data.y, {.verbose = 0});
        });
      },
      "has another plan than rank 0");
}

/// The rows of a tensor in this order.
Tensor rows_of(const Tensor& tensor, const std::vector<std::int64_t>& order) {
  return ops::gather(tensor, constant(order, {static_cast<Dim>(order.size())}));
}

TEST(PlantedBugs, ALostSampleIsFound) {
  const TrainingCase run{.ranks = 3};
  const Samples all = exact_samples(run.model, run.samples(), 11);
  // The last rank has lost one sample, and has the next twice.
  std::vector<std::int64_t> order(static_cast<std::size_t>(run.samples()));
  std::iota(order.begin(), order.end(), 0);
  order[10] = 11;
  const Samples lost{rows_of(all.x.tensors()[0], order), rows_of(all.y.tensors()[0], order)};
  const auto found = differences(run, [&](Communicator& communicator) {
    Planted planted;
    if (communicator.rank() == communicator.size() - 1) planted.data = lost;
    return planted;
  });
  expect_found_in_the_weights(found);
}

TEST(PlantedBugs, AMissingSampleIsRefused) {
  expect_error_with<ConfigError>(
      [] {
        run_ranks(2, [](Communicator& communicator) {
          train({.ranks = 2}, {.data = exact_samples("mlp", 31 - communicator.rank(), 11)});
        });
      },
      "has another plan than rank 0");
}

}  // namespace
}  // namespace strata::testing
