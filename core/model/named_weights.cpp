// SPDX-License-Identifier: Apache-2.0
// Names of weights that are unique within a model; reading and setting weights in order or by name.
#include <unordered_map>
#include <unordered_set>

#include "core/base/error.h"
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

namespace {

void require_shape(const LayerRef& layer, const Variable& weight, const Tensor& value) {
  if (value.shape() == weight.shape()) return;
  throw ShapeError("Layer " + layer.name() + " weight " + weight.path() + " of shape " + weight.shape().str() +
                   " is not compatible with provided weight shape " + value.shape().str() + ".");
}

void set_weight(const Variable& weight, const Tensor& value) {
  const Dtype dtype = weight.spec().dtype;
  weight.assign(value.dtype() == dtype ? value : ops::cast(value, dtype));
}

}  // namespace

std::vector<Tensor> LayerRef::get_weights() const {
  std::vector<Tensor> values;
  for (const Variable& weight : weights()) values.push_back(weight.value());
  return values;
}

void LayerRef::set_weights(const std::vector<Tensor>& values) const {
  const auto variables = weights();
  if (values.size() != variables.size()) {
    throw ConfigError("You called `set_weights(weights)` on layer '" + name() + "' with a weight list of length " +
                      std::to_string(values.size()) + ", but the layer was expecting " +
                      std::to_string(variables.size()) + " weights.");
  }
  for (std::size_t i = 0; i < values.size(); ++i) require_shape(*this, variables[i], values[i]);
  for (std::size_t i = 0; i < values.size(); ++i) set_weight(variables[i], values[i]);
}

std::vector<std::string> LayerRef::set_weights_by_name(const std::vector<std::pair<std::string, Tensor>>& values,
                                                       bool skip_mismatch) const {
  const std::unordered_map<std::string, Tensor> by_name(values.begin(), values.end());
  std::vector<std::pair<Variable, Tensor>> found;
  std::vector<std::string> others;
  for (const auto& [full, weight] : named_weights()) {
    const auto value = by_name.find(full);
    const bool given = value != by_name.end();
    if (given && !skip_mismatch) require_shape(*this, weight, value->second);
    if (given && value->second.shape() == weight.shape()) found.emplace_back(weight, value->second);
    else others.push_back(full);
  }
  for (const auto& [weight, value] : found) set_weight(weight, value);
  return others;
}

}  // namespace strata
