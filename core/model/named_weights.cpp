// SPDX-License-Identifier: Apache-2.0
// Names of weights that are unique within a model.
#include <unordered_map>
#include <unordered_set>

#include "core/model/layer.h"
#include "core/model/variable_set.h"

namespace strata {

/// Names every weight of this layer, which lies at `path` ("" = a model that does not name its layers' weights).
void Layer::collect_names(const std::string& path, std::vector<NamedVariable>& names) const {
  const std::string prefix = path.empty() ? "" : path + "/";
  for (const Variable& weight : own_weights_) {
    names.push_back({prefix + weight.path().substr(name().size() + 1), weight});
  }
  for (const LayerRef& layer : sublayers()) layer.layer().collect_names(prefix + layer.name(), names);
}

std::vector<NamedVariable> Layer::named_weights() const {
  std::vector<NamedVariable> names;
  collect_names(first_call() == 0 ? name() : "", names);
  std::unordered_map<Variable, std::string, VariableHash> name_of;
  for (const auto& [full, weight] : names) name_of.emplace(weight, full);

  std::vector<NamedVariable> result;
  std::unordered_set<std::string> used;
  for (const Variable& weight : weights()) {
    const auto named = name_of.find(weight);
    const std::string full = named == name_of.end() ? weight.path() : named->second;
    std::string unique = full;
    for (int number = 1; !used.insert(unique).second; ++number) unique = full + "_" + std::to_string(number);
    result.push_back({unique, weight});
  }
  return result;
}

}  // namespace strata
