// SPDX-License-Identifier: Apache-2.0
// Internal to BucketUpdate: programs that may run at once, on several threads.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/program/program.h"

namespace strata {

/// A program and where its inputs and outputs are.
struct UpdateTask {
  std::shared_ptr<const Program> program;
  std::vector<const void*> inputs;
  std::vector<void*> outputs;
};

/// Memory of the threads that run passes: one arena a thread, as large as the largest program needs.
using UpdateArenas = std::vector<std::shared_ptr<Storage>>;

/// Who runs passes: one thread a stream. `between` is called by the first of them between programs, for what must not
/// wait as long as a pass takes.
struct UpdateTeam {
  // NOLINTNEXTLINE(google-explicit-constructor)
  UpdateTeam(const std::vector<std::unique_ptr<Stream>>& of, std::function<void()> call = nothing)
      : streams(of), between(std::move(call)) {}

  static void nothing() {}

  std::span<const std::unique_ptr<Stream>> streams;
  std::function<void()> between;
};

class UpdatePass {
 public:
  explicit UpdatePass(std::vector<UpdateTask> tasks) : tasks_(std::move(tasks)) {}
  std::size_t arena_bytes() const;
  /// To be called once before the first run, with one arena a stream.
  void prepare(const UpdateArenas& arenas);
  /// Runs all programs, on one thread a stream. Allocates nothing.
  void run(const UpdateTeam& team);

 private:
  std::vector<UpdateTask> tasks_;
  std::vector<std::unique_ptr<RunState>> states_;  // number i is run by thread i mod threads
  std::vector<std::exception_ptr> errors_;
};

}  // namespace strata
