// SPDX-License-Identifier: Apache-2.0
// bits_run MODEL OPTIMIZER BATCH BATCHES EPOCHS BUCKET_MB SHARDED: trains one of tests/support/exact_models.h, alone or
// under mpirun; rank 0 prints a line of JSON: the places and values of a TrainingResult. Started by
// tests/support/exact_processes.cpp.
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "core/model/session.h"
#include "distributed/world.h"
#include "tests/support/exact_training.h"

namespace {

using namespace strata;
using strata::testing::difference;
using strata::testing::TrainingResult;

/// Every rank has to have what rank 0 has.
void require_equal_ranks(Communicator& ranks, const TrainingResult& own) {
  std::string text = nlohmann::json(own).dump();
  std::size_t length = text.size();
  ranks.broadcast(&length, sizeof(length), 0);
  text.resize(length);
  ranks.broadcast(text.data(), length, 0);
  const std::string found = difference(nlohmann::json::parse(text).get<TrainingResult>(), own);
  if (!found.empty()) throw std::runtime_error("rank " + std::to_string(ranks.rank()) + " differs from 0: " + found);
}

void run(char** arguments) {
  const TrainingResult result = strata::testing::train({.model = arguments[0],
                                                        .optimizer = arguments[1],
                                                        .batch = std::atoi(arguments[2]),
                                                        .batches = std::atoi(arguments[3]),
                                                        .epochs = std::atoi(arguments[4]),
                                                        .bucket_mb = std::atof(arguments[5]),
                                                        .sharded = std::atoi(arguments[6]) != 0});
  Communicator& ranks = Session::current().communicator();
  require_equal_ranks(ranks, result);
  if (ranks.rank() == 0) std::printf("%s\n", nlohmann::json(result).dump().c_str());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 8) {
    std::fprintf(stderr, "usage: %s MODEL OPTIMIZER BATCH BATCHES EPOCHS BUCKET_MB SHARDED\n", argv[0]);
    return 2;
  }
  try {
    run(argv + 1);
    std::fflush(stdout);
    shutdown_world(false);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  shutdown_world(true);
  return 1;
}
