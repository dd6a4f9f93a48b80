// SPDX-License-Identifier: Apache-2.0
// Models with data to train on, over which drivers compare ways to train them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "support/training_step.h"

namespace strata::benchmarks {

struct Workload {
  std::string name;
  Dim batch;  // global
  Dim steps;  // that make a timing long enough
  std::function<Model()> model;
  Arrays x, y;  // one batch
  CompileOptions compile;

  /// A copy of the model of its own.
  std::unique_ptr<TrainingStep> prepare(Dim blocks, std::shared_ptr<Communicator> communicator = {},
                                        bool shard_optimizer = false) const;
};

/// One of workload_names(). Throws ConfigError for another name.
Workload make_workload(const std::string& name);
/// With another batch.
Workload make_workload(const std::string& name, Dim batch);
/// The guide's MLP (batch 64), one of 25 million parameters (64), the guide's toy_resnet (128), its ticket router (32),
/// and convolutions with batch normalization (64).
std::vector<std::string> workload_names();

}  // namespace strata::benchmarks
