// SPDX-License-Identifier: Apache-2.0
// Internal to metrics: the table of metrics by Keras name, and metrics that are a mean of a function.
#pragma once

#include "core/model/named_rules.h"
#include "core/training/metric.h"

namespace strata {

/// The metrics of Keras. Each file of this folder adds its own: CMake collects register_<stem>(MetricTable&).
using MetricTable = std::map<std::string, RuleTable<Metric>::Entry>;

/// Adds a metric under its class name and `short_names`; name and dtype are known to all.
inline void add_metric(MetricTable& table, const std::string& class_name, std::vector<std::string> short_names,
                       std::vector<std::string> arguments, std::function<Metric(const RuleArguments&)> make) {
  arguments.insert(arguments.end(), {"name", "dtype"});
  table[class_name] = {std::move(short_names), std::move(arguments), std::move(make)};
}

/// Adds one that takes nothing but a name; its function name is `name`.
inline void add_metric(MetricTable& table, const std::string& class_name, const std::string& name,
                       Metric (*make)(const std::string& name), std::vector<std::string> short_names = {}) {
  short_names.push_back(name);
  add_metric(table, class_name, std::move(short_names), {},
             [make, name](const RuleArguments& a) { return make(a.text("name", name.c_str())); });
}

/// The weighted mean of a function of targets and outputs.
struct MeanFormula {
  std::string class_name;
  std::string name;
  std::function<Tensor(const Tensor& y_true, const Tensor& y_pred)> values;
  Config config = Config::object();
  std::optional<bool> larger_is_better = true;
};
Metric mean_metric(MeanFormula formula);

/// Accuracy of the kind that suits the shapes of targets and outputs, under the given name.
Metric accuracy_by_shape(const std::string& name);
/// Cross-entropy likewise.
Metric crossentropy_by_shape(const std::string& name);

}  // namespace strata
