// SPDX-License-Identifier: Apache-2.0
// backup_run DIRECTORY SAVE_FREQ [RANK MICROSECONDS]: trains a small model, alone or under mpirun, with backups in the
// directory; prints what fit does, and last the hash of its weights and the seconds of training. Rank RANK kills itself
// MICROSECONDS after its training began, whatever it does then. Makes the file DIRECTORY.over when training is over,
// from when on backups may go. Run by tests/programs/backup_test.cpp and tests/lab/backup_kills.sh.
#include <signal.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "strata/strata.h"

namespace {

using namespace strata;

struct Kill : Callback {
  Kill(int r, int us) : rank(r), microseconds(us) {}
  void on_train_begin() override {
    if (rank != parameters().rank) return;
    std::thread([wait = std::chrono::microseconds(microseconds)] {
      std::this_thread::sleep_for(wait);
      raise(SIGKILL);
    }).detach();
  }
  int rank, microseconds;
};

/// Before the callback that removes the backups.
struct MarkEnd : Callback {
  explicit MarkEnd(std::string p) : path(std::move(p)) {}
  void on_train_end(const Logs&) override {
    if (parameters().rank == 0) std::ofstream(path).put('\n');
  }
  std::string path;
};

Model made_model() {
  const Tensor input = Input({20});
  Tensor x = layers::Dense(64, {.activation = "relu"})(input);
  x = layers::BatchNormalization()(layers::Dropout(0.2)(x));
  Model model(input, layers::Dense(1)(x));
  model.compile({.optimizer = optimizers::Adam({.learning_rate = 0.003}), .loss = "mse"});
  return model;
}

Tensor values(Dim rows, Dim columns, int factor) {
  std::vector<float> all(static_cast<std::size_t>(rows * columns));
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i] = static_cast<float>(i * static_cast<std::size_t>(factor) % 997) / 500.0F - 1.0F;
  }
  return constant(all, {rows, columns});
}

void train(const std::string& directory, Dim save_freq, int rank, int microseconds) {
  Model model = made_model();
  std::vector<CallbackRef> callbacks{
      MarkEnd(directory + ".over"), callbacks::BackupAndRestore(directory, {.save_freq = save_freq}),
      callbacks::ReduceLROnPlateau({.monitor = "loss", .factor = 0.7, .patience = 1, .min_delta = 0.05})};
  if (microseconds > 0) callbacks.push_back(Kill(rank, microseconds));
  const Tensor x = values(330, 20, 31), y = values(330, 1, 17);
  const auto start = std::chrono::steady_clock::now();
  model.fit(x, y, {.batch_size = 20, .epochs = 6, .verbose = 2, .callbacks = callbacks, .validation_data = {x, y}});
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  if (Session::current().communicator().rank() != 0) return;
  std::printf("%016llx %.6f\n", static_cast<unsigned long long>(model.weights_hash()), seconds.count());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 5) {
    std::fprintf(stderr, "usage: %s DIRECTORY SAVE_FREQ [RANK MICROSECONDS]\n", argv[0]);
    return 2;
  }
  try {
    train(argv[1], std::atoi(argv[2]), argc == 5 ? std::atoi(argv[3]) : -1, argc == 5 ? std::atoi(argv[4]) : 0);
    std::fflush(stdout);
    shutdown_world(false);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  shutdown_world(true);
  return 1;
}
