// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/training/trainer.h"

namespace strata {
namespace {

/// The loss of a single output is the total, and what layers add has no name of its own.
bool is_shown(const SumSpec& spec) { return !spec.name.empty() && spec.name != "loss"; }

}  // namespace

RunningMeans::RunningMeans(const std::vector<SumSpec>& specs) : specs_(specs), totals_(specs.size(), 0.0) {}

void RunningMeans::add(std::span<const double> sums, Dim samples) {
  for (std::size_t i = 0; i < totals_.size(); ++i) totals_[i] += sums[i];
  samples_ += samples;
}

const Logs& RunningMeans::logs() {
  if (logs_.empty()) {
    logs_.emplace_back("loss", 0.0);
    for (const SumSpec& spec : specs_) {
      if (is_shown(spec)) logs_.emplace_back(spec.name, 0.0);
    }
  }
  double total = 0.0;
  std::size_t at = 1;
  for (std::size_t i = 0; i < specs_.size(); ++i) {
    const double count = static_cast<double>(specs_[i].positions) * static_cast<double>(samples_);
    const double mean = samples_ > 0 ? totals_[i] / count : 0.0;
    total += specs_[i].weight * mean;
    if (is_shown(specs_[i])) logs_[at++].second = mean;
  }
  logs_[0].second = total;
  return logs_;
}

}  // namespace strata
