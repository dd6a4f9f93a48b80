// SPDX-License-Identifier: Apache-2.0
// Times the sum over blocks of a flat buffer, one block a rank, against MPI_Allreduce in place of the same size, and on
// one host against a bare loop over a shared MPI window, interleaved in one run. Verifies first that all give the same
// sum. For several ranks:
//     mpirun -np 2 mpi_allreduce [--rounds N] [--json FILE]
#include <fmt/format.h>
#include <mpi.h>
#include <strata/strata.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "support/driver.h"
#include "support/statistics.h"

using namespace strata;

namespace {

using benchmarks::median;

struct Options {
  int rounds = 15;
  double seconds = 0.02;  // about, of one timing
  std::vector<std::size_t> sizes{1 << 10, 16 << 10, 256 << 10, 1 << 20, 25 << 20, 100 << 20};
  double mbit = 0.0;  // of each rank's link, in each direction; 0 = not known
};

/// What the hardware allows on one host: every rank adds up its share of the elements where all ranks see them.
class BareWindow {
 public:
  explicit BareWindow(Dim count) : count_(count) {
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
    float* own = nullptr;
    const auto bytes = static_cast<MPI_Aint>(static_cast<std::size_t>(count) * sizeof(float));
    MPI_Win_allocate_shared(bytes, sizeof(float), MPI_INFO_NULL, MPI_COMM_WORLD, &own, &window_);
    for (int rank = 0; rank < size_; ++rank) {
      MPI_Aint size = 0;
      int unit = 0;
      parts_.push_back(nullptr);
      MPI_Win_shared_query(window_, rank, &size, &unit, static_cast<void*>(&parts_.back()));
    }
    std::fill(own, own + count, 0.0F);
  }
  ~BareWindow() { MPI_Win_free(&window_); }
  BareWindow(const BareWindow&) = delete;
  BareWindow& operator=(const BareWindow&) = delete;

  float* own() const { return parts_[static_cast<std::size_t>(rank_)]; }
  void run() {
    MPI_Barrier(MPI_COMM_WORLD);
    const Dim first = count_ * rank_ / size_, last = count_ * (rank_ + 1) / size_;
    for (Dim at = first; at < last; at += kChunk) add(at, std::min(kChunk, last - at));
    MPI_Barrier(MPI_COMM_WORLD);
  }

 private:
  static constexpr Dim kChunk = 16 * 1024;  // stays in a cache

  void add(Dim at, Dim count) {
    float* __restrict to = parts_[0] + at;
    for (std::size_t r = 1; r < parts_.size(); ++r) {
      const float* __restrict from = parts_[r] + at;
      for (Dim i = 0; i < count; ++i) to[i] += from[i];
    }
    for (std::size_t r = 1; r < parts_.size(); ++r) std::copy_n(to, count, parts_[r] + at);
  }

  Dim count_;
  int rank_ = 0, size_ = 1;
  MPI_Win window_ = MPI_WIN_NULL;
  std::vector<float*> parts_;
};

bool on_one_host() {
  MPI_Comm host = MPI_COMM_NULL;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host);
  int ranks = 0, here = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  MPI_Comm_size(host, &here);
  MPI_Comm_free(&host);
  return ranks == here;
}

/// One size, in memory of the communicator for the one and in plain memory for the other.
class Case {
 public:
  Case(Communicator& communicator, Dim count)
      : communicator_(communicator),
        count_(count),
        memory_(communicator.allocate(cpu_device(), static_cast<std::size_t>(count) * sizeof(float))),
        partials_{memory_->data()},
        plain_(static_cast<std::size_t>(count)),
        window_(on_one_host() ? std::make_unique<BareWindow>(count) : nullptr),
        sum_(communicator.prepare_block_sum(cpu_device(), {Dtype::float32, count, communicator.size(), partials_})) {}

  void verify() {
    for (Dim i = 0; i < count_; ++i) {
      const auto value = static_cast<float>((i * 37 + communicator_.rank() * 101) % 10007);
      own()[i] = plain_[static_cast<std::size_t>(i)] = value;
      if (window_) window_->own()[i] = value;
    }
    run_sum();
    run_mpi();
    if (window_) window_->run();
    for (Dim i = 0; i < count_; ++i) {
      const float expected = plain_[static_cast<std::size_t>(i)];
      if (own()[i] == expected && (!window_ || window_->own()[i] == expected)) continue;
      throw InternalError(fmt::format("{} elements: element {} is {}, with MPI_Allreduce {}", count_, i, own()[i],
                                      plain_[static_cast<std::size_t>(i)]));
    }
    // What repeated sums do to zeros they do to no denormals and no infinities.
    std::fill(plain_.begin(), plain_.end(), 0.0F);
    std::fill(own(), own() + count_, 0.0F);
    if (window_) std::fill(window_->own(), window_->own() + count_, 0.0F);
    MPI_Barrier(MPI_COMM_WORLD);
  }

  void run_sum() {
    sum_->start();
    sum_->wait();
  }
  bool has_window() const { return window_ != nullptr; }
  void run_window() { window_->run(); }
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
  std::unique_ptr<BareWindow> window_;  // null when there are several hosts
  std::unique_ptr<PreparedCollective> sum_;
};

/// What one call takes.
struct Cost {
  double seconds;      // the slowest rank's
  double cpu_seconds;  // of all ranks together
};

/// Over so many calls that a timing is long enough.
template <class F>
Cost cost_of(int calls, const F& call) {
  MPI_Barrier(MPI_COMM_WORLD);
  const auto start = std::chrono::steady_clock::now();
  const std::clock_t cpu_start = std::clock();
  for (int i = 0; i < calls; ++i) call();
  Cost cost{std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / calls,
            static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC / calls};
  MPI_Allreduce(MPI_IN_PLACE, &cost.seconds, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
  MPI_Allreduce(MPI_IN_PLACE, &cost.cpu_seconds, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  return cost;
}

Cost median_cost(const std::vector<Cost>& costs) {
  std::vector<double> seconds, cpu_seconds;
  for (const Cost& cost : costs) {
    seconds.push_back(cost.seconds);
    cpu_seconds.push_back(cost.cpu_seconds);
  }
  return {median(seconds), median(cpu_seconds)};
}

/// The least seconds in which ranks with such links can sum: each has to send and receive 2 (P - 1) / P of the data.
double least_seconds(std::size_t bytes, int ranks, double mbit) {
  return 2.0 * (ranks - 1) / ranks * static_cast<double>(bytes) * 8 / (mbit * 1e6);
}

nlohmann::ordered_json report(int ranks, std::size_t bytes, const Cost& own, const Cost& mpi, double ratio,
                              double mbit) {
  nlohmann::ordered_json json{
      {"bytes", bytes},         {"seconds", own.seconds},         {"mpi_seconds", mpi.seconds},
      {"times_as_fast", ratio}, {"cpu_seconds", own.cpu_seconds}, {"mpi_cpu_seconds", mpi.cpu_seconds}};
  std::string text =
      fmt::format("{:10} bytes  {:10.1f} us  {:10.1f} us  {:6.2f} GB/s  {:6.2f} GB/s  {:5.2f}  {:8.4f} s  {:8.4f} s",
                  bytes, own.seconds * 1e6, mpi.seconds * 1e6, static_cast<double>(bytes) / own.seconds * 1e-9,
                  static_cast<double>(bytes) / mpi.seconds * 1e-9, ratio, own.cpu_seconds, mpi.cpu_seconds);
  if (mbit > 0) {
    const double least = least_seconds(bytes, ranks, mbit);
    json.update({{"of_bound", least / own.seconds}, {"mpi_of_bound", least / mpi.seconds}});
    text += fmt::format("  {:5.1f} %  {:5.1f} %", least / own.seconds * 100, least / mpi.seconds * 100);
  }
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
  return json;
}

nlohmann::ordered_json time_size(Communicator& communicator, std::size_t bytes, const Options& options) {
  Case sums(communicator, static_cast<Dim>(bytes / sizeof(float)));
  sums.verify();
  const double guess = cost_of(3, [&] { sums.run_mpi(); }).seconds;
  const int calls = std::max(1, static_cast<int>(options.seconds / guess));
  std::vector<Cost> own, mpi;
  std::vector<double> ratios, of_window;
  for (int round = 0; round < options.rounds; ++round) {
    own.push_back(cost_of(calls, [&] { sums.run_sum(); }));
    mpi.push_back(cost_of(calls, [&] { sums.run_mpi(); }));
    ratios.push_back(mpi.back().seconds / own.back().seconds);
    if (!sums.has_window()) continue;
    of_window.push_back(cost_of(calls, [&] { sums.run_window(); }).seconds / own.back().seconds);
  }
  if (communicator.rank() != 0) return nullptr;
  auto json = report(communicator.size(), bytes, median_cost(own), median_cost(mpi), median(ratios), options.mbit);
  if (sums.has_window()) {
    json["of_bare_window"] = median(of_window);
    std::printf("%40.0f %% of the speed of a bare loop over a shared window\n", median(of_window) * 100);
  }
  return json;
}

nlohmann::ordered_json run(const Options& options) {
  const auto communicator = world();
  if (communicator->size() == 1) throw ConfigError("expected several ranks: start this with mpirun -np 2");
  if (communicator->rank() == 0) {
    fmt::print("{:16}  {:>13}  {:>13}  {:>11}  {:>11}  {:>5}  {:>10}  {:>10}{}\n", "", "sum of blocks", "MPI_Allreduce",
               "sum", "MPI", "times", "CPU, sum", "CPU, MPI", options.mbit > 0 ? "  of bound      MPI" : "");
  }
  nlohmann::ordered_json sizes = nlohmann::ordered_json::array();
  for (const std::size_t bytes : options.sizes) sizes.push_back(time_size(*communicator, bytes, options));
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
             app.add_option("--bytes", options.sizes, "Sizes to time")->capture_default_str();
             app.add_option("--mbit", options.mbit,
                            "Megabits a second of each rank's link: adds the share of the bound");
           },
       .run = [&] { return run(options); }});
}
