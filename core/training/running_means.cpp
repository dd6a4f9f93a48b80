// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/training/trainer.h"

namespace strata {

RunningMeans::RunningMeans(const std::vector<SumSpec>& specs)
    : specs_(specs),
      totals_(specs.size(), 0.0),
      several_(std::count_if(specs.begin(), specs.end(), [](const SumSpec& s) { return s.name == "loss"; }) == 0) {}

void RunningMeans::add(std::span<const double> sums, Dim samples) {
  for (std::size_t i = 0; i < totals_.size(); ++i) totals_[i] += sums[i];
  samples_ += samples;
}

void RunningMeans::reset() {
  std::fill(totals_.begin(), totals_.end(), 0.0);
  samples_ = 0;
}

const Logs& RunningMeans::logs() {
  if (logs_.empty()) {
    logs_.emplace_back("loss", 0.0);
    for (const SumSpec& spec : specs_) {
      if (spec.name != "loss") logs_.emplace_back(spec.name, 0.0);
    }
  }
  double total = 0.0;
  std::size_t at = 1;
  for (std::size_t i = 0; i < specs_.size(); ++i) {
    const double count = static_cast<double>(specs_[i].positions) * static_cast<double>(samples_);
    const double mean = samples_ > 0 ? totals_[i] / count : 0.0;
    total += specs_[i].weight * mean;
    if (several_ || specs_[i].name != "loss") logs_[at++].second = mean;
  }
  logs_[0].second = total;
  return logs_;
}

}  // namespace strata
