// SPDX-License-Identifier: Apache-2.0
// Run under mpirun by tests/distributed/mpi_test.cpp: mpi_cases MODE. Exits with 0 when all is as it should be, with 3
// after a CommError, whose text goes to stderr.
#include <mpi.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "core/base/error.h"
#include "core/model/session.h"
#include "distributed/mpi/mpi_communicator.h"
#include "distributed/world.h"
#include "tests/support/block_training.h"
#include "tests/support/communicator_cases.h"
#include "tests/support/shared_training.h"
#include "tests/support/synchronized_training.h"

namespace {

using namespace strata;
using strata::testing::require;

// Whole numbers below 2^24 add up exactly in any order, so MPI's own sum must have the same bits.
void compare_sum_with_mpi(Communicator& c, Dim count) {
  const auto value = [](int rank, Dim i) { return static_cast<float>((i * 37 + rank * 101) % 10'007); };
  std::vector<float> own(static_cast<std::size_t>(count));
  for (Dim i = 0; i < count; ++i) own[static_cast<std::size_t>(i)] = value(c.rank(), i);
  std::vector<float> expected(own.size());
  MPI_Allreduce(own.data(), expected.data(), static_cast<int>(count), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
  void* const partials[] = {own.data()};
  const auto sum = c.prepare_block_sum(cpu_device(), {Dtype::float32, count, c.size(), partials});
  sum->start();
  sum->wait();
  require(own == expected, "a block sum differs from MPI_Allreduce");
}

void compare_collectives_with_mpi(Communicator& c) {
  std::vector<int> own(300'000);
  for (std::size_t i = 0; i < own.size(); ++i) own[i] = static_cast<int>(i) * (c.rank() + 1);
  const std::size_t bytes = own.size() * sizeof(int);
  const auto ranks = static_cast<std::size_t>(c.size());
  std::vector<int> gathered(own.size() * ranks);
  std::vector<int> expected(own.size() * ranks);
  c.allgather(own.data(), gathered.data(), bytes);
  MPI_Allgather(own.data(), static_cast<int>(bytes), MPI_BYTE, expected.data(), static_cast<int>(bytes), MPI_BYTE,
                MPI_COMM_WORLD);
  require(gathered == expected, "allgather differs from MPI_Allgather");
  for (int root = 0; root < c.size(); ++root) {
    std::vector<int> data = own;
    std::vector<int> expected_data = own;
    c.broadcast(data.data(), bytes, root);
    MPI_Bcast(expected_data.data(), static_cast<int>(bytes), MPI_BYTE, root, MPI_COMM_WORLD);
    require(data == expected_data, "broadcast differs from MPI_Bcast");
  }
}

void run_cases(Communicator& c) {
  for (const auto& test_case : strata::testing::communicator_cases()) {
    try {
      test_case.run(c);
    } catch (const std::exception& error) {
      throw std::runtime_error(std::string(test_case.name) + ": " + error.what());
    }
  }
}

void run_all(Communicator& c) {
  int world_size = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &world_size);
  require(c.size() == world_size, "the world has all ranks");
  run_cases(c);
  for (const Dim count : {1, 1000, 500'000}) compare_sum_with_mpi(c, count);
  compare_collectives_with_mpi(c);
}

// Sums in the midst of steps, also of batches that leave a rank without a sample: bits as on one rank.
void run_batch_statistics() {
  const auto train = [](const std::shared_ptr<Communicator>& ranks, Dim batch) {
    Session session(ranks);
    const SessionScope scope(session);
    return strata::testing::train_with_batch_statistics(batch, 5, 3);
  };
  for (const Dim batch : {13, 3, 1}) {
    require(train(world(), batch) == train(make_single_communicator(), batch), "ranks change the bits of training");
  }
}

// An optimizer whose state the ranks share, of every kind of cut: bits and state as on one rank that has all of it.
void run_sharded_optimizers() {
  using namespace optimizers;
  const std::function<Optimizer()> all[] = {
      [] { return Adam({.learning_rate = 0.05}); }, [] { return Adagrad({.learning_rate = 0.05}); },
      [] { return Muon({.learning_rate = 0.05}); },
      [] { return Lamb({.learning_rate = 0.05}, {.global_clipnorm = 0.05, .gradient_accumulation_steps = 2}); }};
  for (const auto& make : all) {
    const auto train = [&](const std::shared_ptr<Communicator>& ranks, bool shard) {
      Session session(ranks);
      const SessionScope scope(session);
      return strata::testing::train_shared({make}, shard);
    };
    require(train(world(), true) == train(make_single_communicator(), false), "shares change the bits of training");
  }
}

// The last rank dies, or stops, or fails while the others sum.
void run_without_the_last(Communicator& c, std::string_view mode) {
  const std::chrono::seconds deadline(mode == "stop" ? 2 : 60);
  c.set_deadlines({deadline, deadline});
  c.barrier();
  if (c.rank() == c.size() - 1) {
    if (mode == "kill") raise(SIGKILL);
    // Only this process: a stopped group would stop its launcher's bookkeeping, too.
    if (mode == "stop") raise(SIGSTOP);
    if (mode == "fail") throw ConfigError("one rank alone has a bad option");
  }
  strata::testing::Partials<float> partials(c, cpu_device(), c.size(), 300'000);
  const auto sum = c.prepare_block_sum(cpu_device(), partials.spec());
  sum->start();
  sum->wait();
}

// Steps of two sums each. In step 5 the last rank dies within a sum, or rank 1 meets the others elsewhere.
void run_recorded_sums(Communicator& c, std::string_view mode) {
  c.set_deadlines({std::chrono::seconds(2), std::chrono::seconds(2)});
  strata::testing::Partials<float> gradients(c, cpu_device(), c.size(), 300'000), losses(c, cpu_device(), c.size(), 8);
  BlockSumSpec first = gradients.spec(), second = losses.spec();
  first.name = "the gradients of dense";
  second.name = "losses and metrics";
  const auto a = c.prepare_block_sum(cpu_device(), first), b = c.prepare_block_sum(cpu_device(), second);
  for (int i = 0; i < 10; ++i) {
    const CommunicatorStep step(c, {.epoch = 1, .step = i}, i == 0);
    if (i == 5 && mode == "diverge" && c.rank() == 1) c.barrier();
    a->start();
    if (i == 5 && mode == "kill_in_sum" && c.rank() == c.size() - 1) raise(SIGKILL);
    b->start();
    a->wait();
    b->wait();
  }
}

// More bytes than an int counts: a sum, and a broadcast of what came out.
void run_huge(Communicator& c) {
  const Dim count = (Dim{5} << 30) / 2 / static_cast<Dim>(sizeof(float));
  const auto value = [](int rank, Dim i) { return static_cast<float>((i % 9973 * 37 + rank * 101) % 10'007); };
  const auto memory = c.allocate(cpu_device(), static_cast<std::size_t>(count) * sizeof(float));
  auto* data = reinterpret_cast<float*>(memory->data());
  void* const partials[] = {data};
  const auto sum = c.prepare_block_sum(cpu_device(), {Dtype::float32, count, c.size(), partials, "2.5 GB"});
  for (Dim i = 0; i < count; ++i) data[i] = value(c.rank(), i);
  sum->start();
  sum->wait();
  const auto require_sum = [&](const char* what) {
    for (Dim i = 0; i < count; ++i) {
      float expected = 0;
      for (int rank = 0; rank < c.size(); ++rank) expected += value(rank, i);
      if (data[i] != expected) throw std::runtime_error(std::string(what) + " at element " + std::to_string(i));
    }
  };
  require_sum("the sum is wrong");
  if (c.rank() != 1) std::memset(data, 0, memory->bytes());
  c.broadcast(data, memory->bytes(), 1);
  require_sum("the broadcast is wrong");
}

// The last rank still works when the others end.
void run_with_a_late_end(Communicator& c) {
  c.barrier();
  if (c.rank() == c.size() - 1) std::this_thread::sleep_for(std::chrono::seconds(30));
}

// A program that uses MPI itself trains on a part of its ranks, and finalises MPI itself.
void run_on_own_communicator() {
  MPI_Init(nullptr, nullptr);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm part = MPI_COMM_NULL;
  MPI_Comm_split(MPI_COMM_WORLD, rank % 2, 0, &part);
  run_cases(*make_mpi_communicator(part));
  MPI_Comm_free(&part);
  require(world().get() == world().get(), "the world is one object");
  world()->barrier();
  MPI_Finalize();
}

// A child that the program forks ends with an error of its own, while the other ranks wait for a late one.
void run_with_a_child_that_fails(Communicator& c) {
  c.barrier();
  const pid_t child = fork();
  if (child == 0) std::exit(1);
  int status = 0;
  require(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 1, "the child ends");
  if (c.rank() == 0) std::this_thread::sleep_for(std::chrono::seconds(1));
  c.barrier();
}

// Without a launcher.
void run_single() {
  require(world()->size() == 1, "a world of one");
  int initialized = 1;
  MPI_Initialized(&initialized);
  require(initialized == 0, "MPI is left alone");
}

// Steps whose programs sum over blocks; rank 0 says what came out, to the last bit.
void run_training(Communicator& c) {
  const auto result = strata::testing::train_with_block_sums(c, {13, 2, 8}, {.blocks = 5, .bucket_bytes = 64});
  if (c.rank() > 0) return;
  for (const float weight : result.weights) std::printf("%a ", static_cast<double>(weight));
  for (const double sum : result.sums) std::printf("%a ", sum);
}

int run(std::string_view mode) {
  try {
    if (mode == "own") {
      run_on_own_communicator();
    } else if (mode == "single") {
      run_single();
    } else if (mode == "all") {
      run_all(*world());
    } else if (mode == "train") {
      run_training(*world());
    } else if (mode == "statistics") {
      run_batch_statistics();
    } else if (mode == "kill_in_sum" || mode == "diverge") {
      run_recorded_sums(*world(), mode);
    } else if (mode == "shared") {
      run_sharded_optimizers();
    } else if (mode == "fork") {
      run_with_a_child_that_fails(*world());
    } else if (mode == "huge") {
      run_huge(*world());
    } else if (mode == "late") {
      run_with_a_late_end(*world());
    } else {
      run_without_the_last(*world(), mode);
    }
    return 0;
  } catch (const CommError& error) {
    std::fprintf(stderr, "CommError(peer %d): %s\n", error.peer(), error.what());
    return 3;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) { return run(argc > 1 ? argv[1] : "all"); }
