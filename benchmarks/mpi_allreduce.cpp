// SPDX-License-Identifier: Apache-2.0
// Times the sum over blocks of a flat buffer, one block a rank, against MPI_Allreduce in place of the same size,
// interleaved in one run. Verifies first that both give the same sum. For several ranks:
//     mpirun -np 2 mpi_allreduce [--rounds N] [--json FILE]
#include <fmt/format.h>
#include <mpi.h>
#include <strata/strata.h>

#include <chrono>
#include <cmath>
#include <cstdio>

#include "support/driver.h"
#include "support/statistics.h"

using namespace strata;

namespace {

using benchmarks::median;

struct Options {
  int rounds = 15;
  double seconds = 0.02;  // about, of one timing
};

/// One size, in memory of the communicator for the one and in plain memory for the other.
class Case {
 public:
  Case(Communicator& communicator, Dim count)
      : communicator_(communicator),
        count_(count),
        memory_(communicator.allocate(cpu_device(), static_cast<std::size_t>(count) * sizeof(float))),
        partials_{memory_->data()},
        plain_(static_cast<std::size_t>(count)),
        sum_(communicator.prepare_block_sum(cpu_device(), {Dtype::float32, count, communicator.size(), partials_})) {}

  void verify() {
    for (Dim i = 0; i < count_; ++i) {
      const auto value = static_cast<float>((i * 37 + communicator_.rank() * 101) % 10007);
      own()[i] = plain_[static_cast<std::size_t>(i)] = value;
    }
    run_sum();
    run_mpi();
    for (Dim i = 0; i < count_; ++i) {
      if (own()[i] == plain_[static_cast<std::size_t>(i)]) continue;
      throw InternalError(fmt::format("{} elements: element {} is {}, with MPI_Allreduce {}", count_, i, own()[i],
                                      plain_[static_cast<std::size_t>(i)]));
    }
    // What repeated sums do to zeros they do to no denormals and no infinities.
    std::fill(plain_.begin(), plain_.end(), 0.0F);
    std::fill(own(), own() + count_, 0.0F);
  }

  void run_sum() {
    sum_->start();
    sum_->wait();
  }
  void run_mpi() {
    MPI_Allreduce(MPI_IN_PLACE, plain_.data(), static_cast<int>(count_), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
  }

 private:
  float* own() const { return reinterpret_cast<float*>(memory_->data()); }

  Communicator& communicator_;
  Dim count_;
  std::shared_ptr<Storage> memory_;
  void* partials_[1];
  std::vector<float> plain_;
  std::unique_ptr<BlockSum> sum_;
};

/// Seconds of one call, the slowest rank's, over so many calls that a timing is long enough.
template <class F>
double time_of(int calls, const F& call) {
  MPI_Barrier(MPI_COMM_WORLD);
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < calls; ++i) call();
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / calls;
  MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
  return seconds;
}

nlohmann::ordered_json time_size(Communicator& communicator, std::size_t bytes, const Options& options) {
  Case sums(communicator, static_cast<Dim>(bytes / sizeof(float)));
  sums.verify();
  const double guess = time_of(3, [&] { sums.run_mpi(); });
  const int calls = std::max(1, static_cast<int>(options.seconds / guess));
  std::vector<double> own, mpi, ratios;
  for (int round = 0; round < options.rounds; ++round) {
    own.push_back(time_of(calls, [&] { sums.run_sum(); }));
    mpi.push_back(time_of(calls, [&] { sums.run_mpi(); }));
    ratios.push_back(mpi.back() / own.back());
  }
  const double ours = median(own), theirs = median(mpi), ratio = median(ratios);
  if (communicator.rank() == 0) {
    std::printf("%10zu bytes  %10.1f us  %10.1f us  %6.2f GB/s  %6.2f GB/s  %5.2f\n", bytes, ours * 1e6, theirs * 1e6,
                static_cast<double>(bytes) / ours * 1e-9, static_cast<double>(bytes) / theirs * 1e-9, ratio);
    std::fflush(stdout);
  }
  return {{"bytes", bytes}, {"seconds", ours}, {"mpi_seconds", theirs}, {"times_as_fast", ratio}};
}

nlohmann::ordered_json run(const Options& options) {
  const auto communicator = world();
  if (communicator->size() == 1) throw ConfigError("expected several ranks: start this with mpirun -np 2");
  if (communicator->rank() == 0) {
    std::printf("%16s  %13s  %13s  %11s  %11s  %s\n", "", "sum of blocks", "MPI_Allreduce", "sum", "MPI",
                "times as fast");
  }
  nlohmann::ordered_json sizes = nlohmann::ordered_json::array();
  for (const std::size_t bytes : {std::size_t{1} << 10, std::size_t{16} << 10, std::size_t{256} << 10,
                                  std::size_t{1} << 20, std::size_t{25} << 20, std::size_t{100} << 20}) {
    sizes.push_back(time_size(*communicator, bytes, options));
  }
  if (communicator->rank() != 0) return nullptr;
  return {{"ranks", communicator->size()}, {"sizes", sizes}};
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  return benchmarks::drive(
      argc, argv,
      {.name = "mpi_allreduce",
       .description = "Times sums over ranks against MPI_Allreduce. Start it with mpirun.",
       .add_options =
           [&](CLI::App& app) {
             app.add_option("--rounds", options.rounds, "Timings of each, interleaved")->capture_default_str();
           },
       .run = [&] { return run(options); }});
}
