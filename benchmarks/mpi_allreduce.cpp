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

#include "support/driver.h"
#include "support/statistics.h"

using namespace strata;

namespace {

using benchmarks::median;

struct Options {
  int rounds = 15;
  double seconds = 0.02;  // about, of one timing
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
  std::vector<double> own, mpi, ratios, of_window;
  for (int round = 0; round < options.rounds; ++round) {
    own.push_back(time_of(calls, [&] { sums.run_sum(); }));
    mpi.push_back(time_of(calls, [&] { sums.run_mpi(); }));
    ratios.push_back(mpi.back() / own.back());
    if (sums.has_window()) of_window.push_back(time_of(calls, [&] { sums.run_window(); }) / own.back());
  }
  const double ours = median(own), theirs = median(mpi), ratio = median(ratios);
  if (communicator.rank() == 0) {
    std::printf("%10zu bytes  %10.1f us  %10.1f us  %6.2f GB/s  %6.2f GB/s  %12.2f", bytes, ours * 1e6, theirs * 1e6,
                static_cast<double>(bytes) / ours * 1e-9, static_cast<double>(bytes) / theirs * 1e-9, ratio);
    if (sums.has_window()) std::printf("  %14.2f", median(of_window));
    std::printf("\n");
    std::fflush(stdout);
  }
  nlohmann::ordered_json json = {
      {"bytes", bytes}, {"seconds", ours}, {"mpi_seconds", theirs}, {"times_as_fast", ratio}};
  if (sums.has_window()) json["of_bare_window"] = median(of_window);
  return json;
}

nlohmann::ordered_json run(const Options& options) {
  const auto communicator = world();
  if (communicator->size() == 1) throw ConfigError("expected several ranks: start this with mpirun -np 2");
  if (communicator->rank() == 0) {
    std::printf("%16s  %13s  %13s  %11s  %11s  %s  %s\n", "", "sum of blocks", "MPI_Allreduce", "sum", "MPI",
                "times as fast", "of bare window");
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
