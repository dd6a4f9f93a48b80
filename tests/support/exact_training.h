// SPDX-License-Identifier: Apache-2.0
// Training that has to end in the same bits on any number of ranks, and how it is compared.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/training/model.h"
#include "tests/support/pairwise.h"

namespace strata::testing {

/// One training run. The ones above the line change the bits, the ones below must not.
struct TrainingCase {
  std::string model = "mlp";
  std::string optimizer = "rmsprop";
  Dim batch = 13;
  Dim batches = 2;  // full ones of an epoch; a last one of 5 samples follows, which leaves blocks empty
  int epochs = 2;
  // ---
  int ranks = 1;
  int threads = 1;         // of a rank
  double bucket_mb = 0.0;  // 0 = as it comes
  bool shared_memory = true;
  bool sharded = false;  // the optimizer

  static constexpr Dim kBlocks = 8;
  static constexpr Dim kLastBatch = 5;

  Dim samples() const { return batches * batch + kLastBatch; }
  Dim steps() const { return (batches + 1) * epochs; }
  /// "tickets with adam, batch 13, 6 steps on 3 ranks of 2 threads, buckets of 0.004 MB, over messages".
  std::string text() const;
  /// The same run on one rank of one thread, with everything else as it comes.
  TrainingCase reference() const;
};

/// What can differ between cases, one column each.
struct TrainingTable {
  std::vector<std::string> models{"mlp", "convolutions", "tickets", "toy_resnet"};
  std::vector<std::string> optimizers{"rmsprop", "adam"};
  std::vector<int> ranks{1, 2, 3, 4, 5, 8};
  std::vector<Dim> batches{13, 37};
  std::vector<int> threads{1, 2};
  std::vector<double> buckets_mb{0.0, 0.004, 0.25};
  std::vector<bool> shared_memory{true};
  std::vector<bool> sharded{false, true};

  std::vector<int> sizes() const;
  /// The cases of these rows; what the table does not say is taken from `common`.
  std::vector<TrainingCase> cases(const CaseRows& rows, const TrainingCase& common = {}) const;
};

/// All that a run leaves behind, each with the place where it stands, to the last bit: a hash of each weight and of all
/// together, every value of the history, the results of evaluate.
using TrainingResult = std::vector<std::pair<std::string, std::string>>;

/// The first place in which `seen` differs from `expected`, and how; "" where they are equal.
std::string difference(const TrainingResult& expected, const TrainingResult& seen);

/// What tests plant in a run.
struct Planted {
  std::shared_ptr<Communicator> communicator = {};  // instead of the session's
  std::vector<CallbackRef> callbacks = {};
  Samples data = {};  // instead of those of the case
};

/// Trains as the case says, on this rank of the session's ranks with as many threads as OpenMP gives.
TrainingResult train(const TrainingCase& run, const Planted& planted = {});
/// The same on ranks that are threads: the result of each.
std::vector<TrainingResult> train_on_threads(const TrainingCase& run);

}  // namespace strata::testing
