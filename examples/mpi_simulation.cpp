// SPDX-License-Identifier: Apache-2.0
// A simulation over MPI that trains a network on its own particles while it runs: mpirun -np 4 mpi_simulation [STEPS].
// Particles drift through a ring of ranks, so that every rank has another number of them each step, sometimes none. The
// network learns the potential at a particle's place: a surrogate for what is costly to compute.
#include <mpi.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "distributed/mpi/mpi_communicator.h"
#include "strata/strata.h"

namespace {

struct Particle {
  double place[2];
  double speed[2];
  double potential;
};
constexpr strata::Dim kDoubles = sizeof(Particle) / sizeof(double);  // from one particle to the next

double potential_at(const double* place) {
  constexpr double kTurn = 6.283185307179586;
  return std::sin(kTurn * place[0]) + 0.5 * std::cos(kTurn * place[1]);
}

std::vector<Particle> starting_particles(int count) {
  std::mt19937 numbers(0);
  std::uniform_real_distribution<double> uniform(0.0, 1.0);
  std::vector<Particle> particles;
  for (int i = 0; i < count; ++i) {
    const double along = uniform(numbers), across = uniform(numbers), speed = 0.02 + 0.03 * uniform(numbers);
    particles.push_back({{along, across}, {speed, 0.01}, 0.0});
  }
  return particles;
}

/// Sends `leaving` to the next rank and returns what comes from the one before.
std::vector<Particle> pass_on(const std::vector<Particle>& leaving, MPI_Comm ranks) {
  int rank = 0, size = 1;
  MPI_Comm_rank(ranks, &rank);
  MPI_Comm_size(ranks, &size);
  const int next = (rank + 1) % size, before = (rank + size - 1) % size;
  const int sent = static_cast<int>(leaving.size() * sizeof(Particle));
  int received = 0;
  MPI_Sendrecv(&sent, 1, MPI_INT, next, 0, &received, 1, MPI_INT, before, 0, ranks, MPI_STATUS_IGNORE);
  std::vector<Particle> arriving(static_cast<std::size_t>(received) / sizeof(Particle));
  MPI_Sendrecv(leaving.data(), sent, MPI_BYTE, next, 1, arriving.data(), received, MPI_BYTE, before, 1, ranks,
               MPI_STATUS_IGNORE);
  return arriving;
}

/// Moves the particles of this rank, whose part of the ring ends at `end`.
void move(std::vector<Particle>& particles, double end, MPI_Comm ranks) {
  std::vector<Particle> staying, leaving;
  for (Particle& p : particles) {
    const bool leaves = p.place[0] + p.speed[0] >= end;
    for (int axis = 0; axis < 2; ++axis) p.place[axis] = std::fmod(p.place[axis] + p.speed[axis], 1.0);
    (leaves ? leaving : staying).push_back(p);
  }
  particles = pass_on(leaving, ranks);
  particles.insert(particles.end(), staying.begin(), staying.end());
  for (Particle& p : particles) p.potential = potential_at(p.place);
}

void simulate(MPI_Comm ranks, int steps) {
  using namespace strata;
  int rank = 0, size = 1;
  MPI_Comm_rank(ranks, &rank);
  MPI_Comm_size(ranks, &size);
  std::vector<Particle> particles;
  if (rank == 0) particles = starting_particles(500);

  const auto input = Input({2});
  Tensor x = layers::Dense(32, {.activation = "tanh"})(input);
  x = layers::Dense(32, {.activation = "tanh"})(x);
  Model surrogate(input, layers::Dense(1)(x), "surrogate");
  surrogate.compile({.optimizer = optimizers::Adam({.learning_rate = 0.01}),
                     .loss = "mse",
                     .communicator = make_mpi_communicator(ranks)});
  surrogate.summary();  // printed by rank 0

  for (int step = 1; step <= steps; ++step) {
    move(particles, static_cast<double>(rank + 1) / size, ranks);
    // No particle is copied: the rows are read from the simulation's own memory, at its strides.
    const auto count = static_cast<Dim>(particles.size());
    const auto* values = reinterpret_cast<const double*>(particles.data());
    const Tensor places = host_view(values, {count, 2}, {kDoubles, 1});
    const Tensor potentials = host_view(count > 0 ? values + 4 : values, {count}, {kDoubles});
    // One step on the particles of all ranks together: the same as if they were in one place.
    const double loss = surrogate.train_on_batch(places, potentials, {.local = true})[0];
    if (rank == 0 && (step == 1 || step % 50 == 0)) {
      std::printf("step %d: %lld of 500 particles on rank 0, loss %.4f\n", step, static_cast<long long>(count), loss);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0, size = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  // Where there are several ranks, the last one has other work (writing files, say) and takes no part in training.
  MPI_Comm workers = MPI_COMM_NULL;
  const bool works = size == 1 || rank < size - 1;
  MPI_Comm_split(MPI_COMM_WORLD, works ? 0 : MPI_UNDEFINED, rank, &workers);
  try {
    if (works) simulate(workers, argc > 1 ? std::atoi(argv[1]) : 300);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rank %d: %s\n", rank, error.what());
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  MPI_Finalize();
}
