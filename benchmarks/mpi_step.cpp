// SPDX-License-Identifier: Apache-2.0
// Times data-parallel training steps, one block a rank, against other ways to train, interleaved in one run: every rank
// on its own, without communication; with a sharded optimizer; sums by MPI_Allreduce in place of those in tree order,
// on the same buffers; and PyTorch's DistributedDataParallel on gloo (ddp_step.py), each rank's process on the core of
// its rank. Verifies that every model learns. The batch is that of a rank, times the ranks:
//     mpirun -np 2 mpi_step [--rounds N] [--models NAME...] [--torch PYTHON SCRIPT] [--json FILE]
#include <fmt/format.h>
#include <mpi.h>
#include <omp.h>
#include <strata/strata.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "core/program/forwarding_communicator.h"
#include "support/child.h"
#include "support/driver.h"
#include "support/statistics.h"
#include "support/workloads.h"

using namespace strata;
using benchmarks::median;
using benchmarks::Workload;

namespace {

constexpr Dim kLargestBatch = 64;  // of a rank

struct Options {
  int rounds = 9;
  std::vector<std::string> models{"mlp", "mlp25m", "toy_resnet", "ticket"};
  std::vector<std::string> torch;
};

class MpiSum final : public PreparedCollective {
 public:
  explicit MpiSum(const BlockSumSpec& spec)
      : data_(spec.partials[0]),
        count_(static_cast<int>(spec.count)),
        type_(spec.dtype == Dtype::float64 ? MPI_DOUBLE : MPI_FLOAT) {}
  void start() override { MPI_Allreduce(MPI_IN_PLACE, data_, count_, type_, MPI_SUM, MPI_COMM_WORLD); }
  bool advance() override { return true; }
  void wait() override {}

 private:
  void* data_;
  int count_;
  MPI_Datatype type_;
};

/// The ranks of the world, whose sums of float32 and float64 are the MPI library's, as soon as a bucket is complete.
class MpiSums final : public ForwardingCommunicator {
 public:
  explicit MpiSums(std::shared_ptr<Communicator> world) : ForwardingCommunicator(*world), world_(std::move(world)) {}
  std::unique_ptr<PreparedCollective> prepare_block_sum(Device&, const BlockSumSpec& spec) override {
    return std::make_unique<MpiSum>(spec);
  }

 private:
  std::shared_ptr<Communicator> world_;
};

/// This rank's process of PyTorch; it inherits the rank's core.
std::unique_ptr<benchmarks::Child> start_torch(const Options& options, const Workload& workload, int batch) {
  const auto communicator = world();
  long number = getpid();
  communicator->broadcast(&number, sizeof(number), 0);
  const auto store = std::filesystem::temp_directory_path() / fmt::format("strata-ddp-{}-{}", number, workload.name);
  std::vector<std::string> command = options.torch;
  for (const std::string& word :
       {std::string("--workload"), workload.name, std::string("--batch"), std::to_string(batch), std::string("--rank"),
        std::to_string(communicator->rank()), std::string("--ranks"), std::to_string(communicator->size()),
        std::string("--store"), store.string()}) {
    command.push_back(word);
  }
  auto child = std::make_unique<benchmarks::Child>(command);
  child->expect("ready");
  return child;
}

/// One way to train, and what it took in each round.
struct Contender {
  std::string name;
  std::function<double()> run;  // milliseconds a step
  std::vector<double> ms = {};
  std::vector<double> over_strata = {};
};

void compare(std::vector<Contender>& contenders, int rounds) {
  for (int round = -1; round < rounds; ++round) {  // the first one warms up
    for (Contender& contender : contenders) {
      world()->barrier();
      const double ms = contender.run();
      if (round < 0) continue;
      contender.ms.push_back(ms);
      contender.over_strata.push_back(ms / contenders[0].ms.back());
    }
  }
}

nlohmann::ordered_json measure(const std::string& name, const Options& options) {
  const auto communicator = world();
  const Dim batch = std::min(benchmarks::make_workload(name).batch, kLargestBatch);
  const Workload own = benchmarks::make_workload(name, batch);
  const Workload all = benchmarks::make_workload(name, batch * communicator->size());
  const auto together = all.prepare(communicator->size());
  const auto alone = own.prepare(1, make_single_communicator());
  const auto sharded = all.prepare(communicator->size(), {}, true);
  const auto with_mpi = all.prepare(communicator->size(), std::make_shared<MpiSums>(communicator));
  std::vector<Contender> contenders{{"strata", [&] { return together->run(); }},
                                    {"no communication", [&] { return alone->run(); }},
                                    {"sharded optimizer", [&] { return sharded->run(); }},
                                    {"MPI_Allreduce", [&] { return with_mpi->run(); }}};
  std::unique_ptr<benchmarks::Child> torch;
  if (!options.torch.empty()) {
    torch = start_torch(options, own, static_cast<int>(batch));
    contenders.push_back({"PyTorch DDP", [&] {
                            return std::stod(torch->ask(fmt::format("run {}", own.steps))) * 1e3 /
                                   static_cast<double>(own.steps);
                          }});
  }
  together->run();
  const double first_loss = together->loss();
  compare(contenders, options.rounds);
  if (!(together->loss() < first_loss)) {
    throw InternalError(fmt::format("{}: the loss did not fall ({} to {})", name, first_loss, together->loss()));
  }
  nlohmann::ordered_json json{{"batch_a_rank", batch}};
  if (communicator->rank() == 0) fmt::print("{}, {} samples a rank\n", name, batch);
  for (const Contender& contender : contenders) {
    if (communicator->rank() == 0) {
      fmt::print("  {:<20}{:>12.3f} ms{:>8.2f}\n", contender.name, median(contender.ms), median(contender.over_strata));
      std::fflush(stdout);
    }
    json[contender.name] = {{"ms", median(contender.ms)}, {"over_strata", median(contender.over_strata)}};
  }
  return json;
}

nlohmann::ordered_json run(const Options& options) {
  omp_set_num_threads(1);
  const auto communicator = world();
  if (communicator->size() == 1) throw ConfigError("expected several ranks: start this with mpirun -np 2");
  nlohmann::ordered_json json{{"ranks", communicator->size()}};
  for (const std::string& name : options.models) json[name] = measure(name, options);
  return communicator->rank() == 0 ? json : nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  const auto add_options = [&](CLI::App& app) {
    app.add_option("--rounds", options.rounds, "Interleaved rounds; medians are taken over them")
        ->capture_default_str();
    app.add_option("--models", options.models, "Which models")->capture_default_str();
    app.add_option("--torch", options.torch, "The Python of an environment with PyTorch, and the path of ddp_step.py")
        ->expected(2);
  };
  return benchmarks::drive(argc, argv,
                           {"mpi_step",
                            "Times data-parallel training steps against other ways to train. Start it with "
                            "mpirun.",
                            add_options, [&] { return run(options); }});
}
