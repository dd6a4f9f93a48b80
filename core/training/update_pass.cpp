// SPDX-License-Identifier: Apache-2.0
#include "core/training/update_pass.h"

#include <omp.h>

#include <algorithm>

#include "core/base/thread_environment.h"

namespace strata {

std::size_t UpdatePass::arena_bytes() const {
  std::size_t bytes = 0;
  for (const UpdateTask& task : tasks_) bytes = std::max(bytes, task.program->arena_bytes());
  return bytes;
}

void UpdatePass::prepare(const UpdateArenas& arenas) {
  for (std::size_t t = 0; t < tasks_.size(); ++t) {
    auto state = std::make_unique<RunState>(tasks_[t].program, arenas[t % arenas.size()]);
    for (std::size_t i = 0; i < tasks_[t].inputs.size(); ++i) {
      state->bind_input(static_cast<int>(i), tasks_[t].inputs[i]);
    }
    for (std::size_t o = 0; o < tasks_[t].outputs.size(); ++o) {
      state->bind_output(static_cast<int>(o), tasks_[t].outputs[o]);
    }
    states_.push_back(std::move(state));
  }
  errors_.resize(states_.size());
}

void UpdatePass::run(const UpdateTeam& team) {
  const auto streams = team.streams;
  const std::size_t threads = std::min(states_.size(), streams.size());
  if (threads <= 1) {
    for (const auto& state : states_) {
      state->run(*streams[0]);
      team.between();
    }
    return;
  }
  std::fill(errors_.begin(), errors_.end(), nullptr);
  const auto run_thread = [&](std::size_t thread) {
    const ThreadEnvironment environment;
    for (std::size_t i = thread; i < states_.size(); i += streams.size()) {
      try {
        states_[i]->run(*streams[thread]);
        streams[thread]->synchronize();
        if (omp_get_thread_num() == 0) team.between();
      } catch (...) {
        errors_[i] = std::current_exception();
      }
    }
  };
  // The arenas belong to threads, of which fewer may come than were asked for.
#pragma omp parallel num_threads(static_cast<int>(threads))
  for (auto t = static_cast<std::size_t>(omp_get_thread_num()); t < threads;
       t += static_cast<std::size_t>(omp_get_num_threads())) {
    run_thread(t);
  }
  for (const auto& error : errors_) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace strata
