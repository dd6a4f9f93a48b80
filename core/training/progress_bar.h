// SPDX-License-Identifier: Apache-2.0
// Keras' progress texts (the format of TF 2.0): a bar that redraws itself on a terminal, lines otherwise.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "core/training/callback.h"

namespace strata {

/// Draws one epoch or one evaluation. Not thread-safe.
class ProgressBar {
 public:
  struct Options {
    Dim target = 0;                                        // units in all; 0 = unknown
    std::string unit = "sample";                           // or "step"
    int verbose = 1;                                       // 0 silent, 1 bar, 2 one line at the end
    bool dynamic = false;                                  // redraws in place (a terminal)
    std::function<void(const std::string&)> write;         // receives text with its '\n', '\r', '\b'
    std::function<std::chrono::duration<double>()> clock;  // time since some start
  };

  /// Where `write` or `clock` are empty: standard output, and the steady clock. `dynamic` is the caller's decision.
  explicit ProgressBar(Options options);
  /// `current` units are done; `logs` are shown as they are. Draws at most every 0.05 s, and leaves the last unit to
  /// finish(), which may have more to show.
  void update(Dim current, const Logs& logs);
  /// Draws the final state: `done` units, or all of them (of an unknown number: those seen). Call it once.
  void finish(const Logs& logs, Dim done = None);

 private:
  void draw(Dim current, double elapsed, const Logs& logs, bool finished);

  Options options_;
  std::chrono::duration<double> start_{};
  std::optional<std::chrono::duration<double>> last_;  // when it was drawn
  Dim seen_ = 0;
  std::size_t width_ = 0;  // of what was drawn
};

/// Whether standard output is a terminal.
bool stdout_is_terminal();

}  // namespace strata
