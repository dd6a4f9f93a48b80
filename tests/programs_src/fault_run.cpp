// SPDX-License-Identifier: Apache-2.0
// fault_run DIRECTORY EPOCHS: trains under mpirun, to be disturbed by tests/programs_src/random_faults.cpp. When its
// training begins a rank leaves its process and the time in DIRECTORY/begin.RANK; when it ends, how and when in
// DIRECTORY/end.RANK.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/base/error.h"
#include "core/model/session.h"
#include "distributed/world.h"
#include "tests/support/exact_training.h"

namespace {

using namespace strata;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// Whole, or not at all.
void leave(const std::string& path, const std::string& text) {
  std::ofstream(path + ".part") << text;
  std::filesystem::rename(path + ".part", path);
}

struct Begin : Callback {
  explicit Begin(std::string p) : path(std::move(p)) {}
  void on_train_begin() override {
    leave(path + std::to_string(parameters().rank), std::to_string(getpid()) + " " + std::to_string(now()));
  }
  std::string path;
};

int run(const std::string& directory, int epochs) {
  const int rank = Session::current().communicator().rank();
  const auto end = [&](const std::string& how) {
    leave(directory + "/end." + std::to_string(rank), std::to_string(now()) + " " + how);
  };
  try {
    const auto result = strata::testing::train({.epochs = epochs}, {.callbacks = {Begin(directory + "/begin.")}});
    for (const auto& [place, value] : result) {
      if (place == "weights_xxh64") end("success " + value);
    }
    return 0;
  } catch (const CommError& error) {
    end(std::string("comm_error ") + error.what());
  } catch (const std::exception& error) {
    end(std::string("other_error ") + error.what());
  }
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s DIRECTORY EPOCHS\n", argv[0]);
    return 2;
  }
  const int status = run(argv[1], std::atoi(argv[2]));
  shutdown_world(status != 0);
  return status;
}
