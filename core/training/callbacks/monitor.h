// SPDX-License-Identifier: Apache-2.0
// Watching a log for improvement, as Keras' callbacks do.
#pragma once

#include <optional>
#include <string>

#include "core/training/callback.h"

namespace strata {

/// Which values of a log are better than others.
class Monitor {
 public:
  /// `mode`: "min", "max", or "auto", which asks the run. Throws ConfigError for another mode.
  Monitor(std::string callback, std::string log, std::string mode, double min_delta);

  /// The log's value; prints a warning on rank 0 and returns empty when it is not there. In mode "auto" throws
  /// ConfigError when nothing tells whether larger or smaller values are better.
  std::optional<double> read(const Logs& logs, const TrainingControl& control, int rank);
  /// Whether `value` is better than `reference` by more than min_delta; true without a reference. After read().
  bool improves(double value, std::optional<double> reference) const;
  const std::string& log() const { return log_; }

 private:
  std::string callback_;  // for messages
  std::string log_;
  std::string mode_;
  double min_delta_;
  bool larger_ = false;
};

/// For CallbackState: the number, null when there is none; and back.
Config optional_config(std::optional<double> number);
std::optional<double> optional_number(const Config& config);

/// Prints a line on rank 0.
void print_message(int rank, const std::string& line);

}  // namespace strata
