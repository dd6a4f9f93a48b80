// SPDX-License-Identifier: Apache-2.0
#include "core/training/callbacks/monitor.h"

#include <cmath>
#include <cstdio>

#include "core/base/error.h"

namespace strata {

Monitor::Monitor(std::string callback, std::string log, std::string mode, double min_delta)
    : callback_(std::move(callback)), log_(std::move(log)), mode_(std::move(mode)), min_delta_(std::abs(min_delta)) {
  if (mode_ == "auto" || mode_ == "min" || mode_ == "max") return;
  throw ConfigError(callback_ + ": expected a mode of auto, min or max, received '" + mode_ + "'");
}

std::optional<double> Monitor::read(const Logs& logs, const TrainingControl& control, int rank) {
  const double* value = find_log(logs, log_);
  if (value == nullptr) {
    std::string names;
    for (const auto& [name, any] : logs) names += (names.empty() ? "" : ",") + name;
    print_message(rank, callback_ + " conditioned on metric `" + log_ +
                            "` which is not available. Available metrics are: " + names);
    return {};
  }
  const std::optional<bool> larger = mode_ == "auto" ? control.larger_is_better(log_) : mode_ == "max";
  if (!larger) {
    throw ConfigError(callback_ + " callback received monitor=" + log_ +
                      ", of which it is not known whether it should be maximized or minimized. Pass mode = \"max\" or "
                      "mode = \"min\".");
  }
  larger_ = *larger;
  return *value;
}

bool Monitor::improves(double value, std::optional<double> reference) const {
  if (!reference) return true;
  return larger_ ? value - min_delta_ > *reference : value + min_delta_ < *reference;
}

Config optional_config(std::optional<double> number) { return number ? Config(*number) : Config(); }

std::optional<double> optional_number(const Config& config) {
  return config.is_null() ? std::nullopt : std::optional(config.as_double());
}

void print_message(int rank, const std::string& line) {
  if (rank != 0) return;
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

}  // namespace strata
