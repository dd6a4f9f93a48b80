// SPDX-License-Identifier: Apache-2.0
#include "core/training/objective.h"

#include <algorithm>
#include <map>

#include "core/base/error.h"
#include "core/base/quoted_list.h"

namespace strata {
namespace {

/// Places named values at their outputs. `what` is "loss" in the error for names that are no outputs.
template <class T>
void place(const std::string& what, const std::vector<std::pair<std::string, T>>& named,
           const std::vector<std::string>& outputs, std::vector<T>& values) {
  std::vector<std::string> unknown;
  for (const auto& [name, value] : named) {
    const auto at = std::find(outputs.begin(), outputs.end(), name);
    if (at == outputs.end()) unknown.push_back(name);
    else values[static_cast<std::size_t>(at - outputs.begin())] = value;
  }
  if (unknown.empty()) return;
  throw ConfigError("Unknown entries in " + what + " dictionary: " + quoted_list(unknown) +
                    ". Only expected following keys: " + quoted_list(outputs));
}

void require_one_each(const std::string& what, const std::string& entries, std::size_t given, std::size_t outputs) {
  if (given == outputs) return;
  throw ConfigError("When passing a list as " + what + ", it should have one entry per model outputs. The model has " +
                    std::to_string(outputs) + " outputs, but you passed " + std::to_string(given) + " " + entries +
                    ".");
}

/// Gives names as Keras 3 does when it collects results.
class MetricNames {
 public:
  std::string unique(const std::string& prefix, const std::string& name, bool weighted) {
    std::string candidate = prefix + name;
    if (weighted && used_.contains(candidate)) candidate = prefix + "weighted_" + name;
    const int repeats = used_[candidate]++;
    return repeats == 0 ? candidate : candidate + "_" + std::to_string(repeats);
  }

 private:
  std::map<std::string, int> used_;
};

}  // namespace

std::vector<Loss> Losses::for_outputs(const std::vector<std::string>& outputs) const {
  if (is_list_) {
    require_one_each("loss", "losses", list_.size(), outputs.size());
    return list_;
  }
  std::vector<Loss> losses(outputs.size(), all_);
  place("loss", named_, outputs, losses);
  return losses;
}

std::vector<double> LossWeights::for_outputs(const std::vector<std::string>& outputs) const {
  if (!list_.empty()) {
    require_one_each("loss_weights", "loss_weights", list_.size(), outputs.size());
    return list_;
  }
  std::vector<double> weights(outputs.size(), 1.0);
  place("loss_weights", named_, outputs, weights);
  return weights;
}

std::vector<std::vector<Metric>> Metrics::for_outputs(const std::vector<std::string>& outputs) const {
  std::vector<std::vector<Metric>> metrics(outputs.size(), all_);
  place("metrics", named_, outputs, metrics);
  return metrics;
}

Objective make_objective(const std::vector<std::string>& outputs, const Losses& losses, const LossWeights& weights,
                         const Metrics& metrics, const Metrics& weighted_metrics) {
  Objective objective{losses.for_outputs(outputs), weights.for_outputs(outputs), {}};
  MetricNames names;
  const auto add = [&](const Metrics& given, bool weighted) {
    const auto by_output = given.for_outputs(outputs);
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      const std::string prefix = outputs.size() > 1 ? outputs[k] + "_" : "";
      for (const Metric& metric : by_output[k]) {
        objective.metrics.push_back({k, metric, names.unique(prefix, metric->name(), weighted), weighted});
      }
    }
  };
  add(metrics, false);
  add(weighted_metrics, true);
  return objective;
}

}  // namespace strata
