// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/base/error.h"
#include "core/training/trainer.h"

namespace strata {
namespace {

/// The loss of a single output is the total, and what layers add has no name of its own.
bool is_shown(const SumSpec& spec) { return !spec.name.empty() && spec.name != "loss"; }

/// A part of the loss of one batch.
double loss_of(const SumSpec& spec, const double* sums, Dim samples) {
  switch (spec.kind) {
    case SumSpec::Kind::plain: return sums[0];
    case SumSpec::Kind::quotient: return sums[1] == 0.0 ? 0.0 : sums[0] / sums[1];
    default: return samples == 0 ? 0.0 : sums[0] / (static_cast<double>(spec.positions) * static_cast<double>(samples));
  }
}

}  // namespace

RunningLogs::RunningLogs(const std::vector<SumSpec>& specs) : specs_(specs) {
  if (!specs.empty()) totals_.assign(specs.back().first + specs.back().count, 0.0);
}

void RunningLogs::add(std::span<const double> sums, Dim samples) {
  for (const SumSpec& spec : specs_) {
    if (spec.metric == nullptr) {
      totals_[spec.first] += loss_of(spec, sums.data() + spec.first, samples) * static_cast<double>(samples);
      continue;
    }
    for (std::size_t i = spec.first; i < spec.first + spec.count; ++i) totals_[i] += sums[i];
  }
  samples_ += samples;
}

void RunningLogs::restore(const std::vector<double>& totals, Dim samples) {
  if (totals.size() != totals_.size()) {
    throw ConfigError("the logs have " + std::to_string(totals_.size()) + " sums, received " +
                      std::to_string(totals.size()));
  }
  totals_ = totals;
  samples_ = samples;
}

const Logs& RunningLogs::logs() {
  if (logs_.empty()) {
    logs_.emplace_back("loss", 0.0);
    for (const SumSpec& spec : specs_) {
      if (is_shown(spec)) logs_.emplace_back(spec.name, 0.0);
    }
  }
  double total = 0.0;
  std::size_t at = 1;
  for (const SumSpec& spec : specs_) {
    const double value = spec.metric == nullptr ? totals_[spec.first] / static_cast<double>(samples_)
                                                : spec.metric->result({totals_.data() + spec.first, spec.count});
    total += spec.weight * value;
    if (is_shown(spec)) logs_[at++].second = value;
  }
  logs_[0].second = total;
  return logs_;
}

}  // namespace strata
