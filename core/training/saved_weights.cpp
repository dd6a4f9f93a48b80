// SPDX-License-Identifier: Apache-2.0
#include "core/training/saved_weights.h"

#include <algorithm>
#include <map>

#include "core/base/error.h"
#include "core/model/config_dialect.h"
#include "core/model/stored_parts.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

/// Trainable ones first. tf.keras puts them first also in a layer that is not trainable, Keras 3 does not.
std::vector<Variable> file_order(const LayerRef& layer) {
  if (!layer.trainable() && ConfigDialectScope::current() == ConfigDialect::keras3) return layer.weights();
  std::vector<Variable> all = layer.trainable_weights();
  for (const Variable& weight : layer.non_trainable_weights()) all.push_back(weight);
  return all;
}

std::string name_of(const Variable& weight, const std::vector<NamedVariable>& names) {
  const auto found = std::find_if(names.begin(), names.end(), [&](const auto& n) { return n.variable == weight; });
  const std::string suffix = ConfigDialectScope::current() == ConfigDialect::keras2 ? ":0" : "";
  return (found == names.end() ? weight.path() : found->name) + suffix;
}

/// A value for a weight.
struct Assignment {
  Variable variable;
  Tensor value;
};

/// Pairs the weights of one layer with those of a file.
class LayerLoader {
 public:
  LayerLoader(const WeightMatching& matching, const std::string& path) : matching_(matching), path_(path) {}

  void add(std::size_t number, const LayerRef& layer, const SavedLayer& saved) {
    const std::vector<Variable> weights = file_order(layer);
    if (weights.size() != saved.weights.size()) {
      return refuse("Weight count mismatch for layer #" + std::to_string(number) + " (named " + layer.name() +
                    " in the current model, " + saved.name + " in the save file). Layer expects " +
                    std::to_string(weights.size()) + " weight(s). Received " + std::to_string(saved.weights.size()) +
                    " saved weight(s)");
    }
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const Tensor& value = saved.weights[i].value;
      if (weights[i].shape() == value.shape()) {
        assignments_.push_back({weights[i], value});
        continue;
      }
      refuse("Shape mismatch in layer #" + std::to_string(number) + " (named " + layer.name() + ") for weight " +
             weights[i].path() + ". Weight expects shape " + weights[i].shape().str() +
             ". Received saved weight with shape " + value.shape().str());
    }
  }

  void add(const StoredGroup& group, const SavedGroup* saved) {
    const std::string where = "Layer '" + group.name + "' (" + (group.path.empty() ? "/" : group.path) + ") ";
    const std::size_t count = saved == nullptr ? 0 : saved->variables.size();
    if (group.weights.size() != count) {
      std::string names;
      for (const Variable& weight : group.weights) names += (names.empty() ? "" : ", ") + weight.path();
      return refuse(where + "expected " + std::to_string(group.weights.size()) + " variables, but received " +
                    std::to_string(count) + " variables during loading. Expected: [" + names + "]");
    }
    for (std::size_t i = 0; i < count; ++i) {
      const Tensor& value = saved->variables[i];
      if (group.weights[i].shape() == value.shape()) {
        assignments_.push_back({group.weights[i], value});
        continue;
      }
      refuse(where + "expected shape " + group.weights[i].shape().str() + " for " + group.weights[i].path() +
             ", but received " + value.shape().str() + " during loading");
    }
  }

  void refuse(const std::string& what) const {
    if (!matching_.skip_mismatch) throw IoError(path_, what);
  }

  void assign() const {
    for (const auto& [variable, value] : assignments_) variable.assign(ops::cast(value, variable.spec().dtype));
  }

 private:
  const WeightMatching& matching_;
  const std::string& path_;
  std::vector<Assignment> assignments_;
};

}  // namespace

std::vector<SavedLayer> saved_layers(const Functional& model) {
  std::vector<SavedLayer> saved;
  for (const LayerRef& layer : model.layers()) {
    const std::vector<NamedVariable> names = layer.named_weights();
    SavedLayer entry{layer.name(), {}};
    for (const Variable& weight : file_order(layer)) entry.weights.push_back({name_of(weight, names), weight.value()});
    saved.push_back(std::move(entry));
  }
  return saved;
}

void load_layers(const Functional& model, const std::vector<SavedLayer>& saved, const WeightMatching& matching,
                 const std::string& path) {
  LayerLoader loader(matching, path);
  std::vector<const SavedLayer*> given;
  for (const SavedLayer& layer : saved) {
    if (!layer.weights.empty()) given.push_back(&layer);
  }
  std::vector<LayerRef> wanted;
  for (const LayerRef& layer : model.layers()) {
    if (!layer.weights().empty()) wanted.push_back(layer);
  }
  if (!matching.by_name && given.size() != wanted.size()) {
    throw IoError(path, "Layer count mismatch when loading weights from file. Model expected " +
                            std::to_string(wanted.size()) + " layers, found " + std::to_string(given.size()) +
                            " saved layers.");
  }
  for (std::size_t k = 0; k < wanted.size(); ++k) {
    auto from = given.begin() + static_cast<std::ptrdiff_t>(std::min(k, given.size()));
    if (matching.by_name) {
      from =
          std::find_if(given.begin(), given.end(), [&](const auto* layer) { return layer->name == wanted[k].name(); });
    }
    if (from != given.end()) loader.add(k, wanted[k], **from);
  }
  loader.assign();
}

std::vector<SavedGroup> saved_groups(const LayerRef& model) {
  std::vector<SavedGroup> saved;
  for (const StoredGroup& group : stored_groups(model)) {
    SavedGroup entry{group.path, group.name, {}};
    for (const Variable& weight : group.weights) entry.variables.push_back(weight.value());
    saved.push_back(std::move(entry));
  }
  return saved;
}

namespace {

/// A path as every version of Keras has it: TensorFlow 2.13 calls layers otherwise, and whether an attribute is private
/// has changed.
std::string common_path(const std::string& path) {
  std::string common;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    std::string part = path.substr(at, end - at);
    if (part == "_layer_checkpoint_dependencies") part = "layers";
    common += (common.empty() ? "" : "/") + part.substr(part.starts_with('_') ? 1 : 0);
    at = end + 1;
  }
  return common;
}

/// What is in files besides the weights of layers.
bool is_other_state(const std::string& path) {
  return path.starts_with("optimizer") || path.starts_with("metrics") || path.ends_with("seed_generator");
}

}  // namespace

void load_groups(const LayerRef& model, const std::vector<SavedGroup>& saved, bool skip_mismatch,
                 const std::string& path) {
  const WeightMatching matching{.skip_mismatch = skip_mismatch};
  LayerLoader loader(matching, path);
  std::map<std::string, const SavedGroup*> given;
  for (const SavedGroup& group : saved) {
    if (!is_other_state(group.path)) given[common_path(group.path)] = &group;
  }
  for (const StoredGroup& group : stored_groups(model)) {
    const auto found = given.find(common_path(group.path));
    loader.add(group, found == given.end() ? nullptr : found->second);
    if (found != given.end()) given.erase(found);
  }
  for (const auto& [place, group] : given) {
    if (!group->variables.empty()) {
      loader.refuse("the file has " + std::to_string(group->variables.size()) + " variables for a layer '" +
                    group->name + "' (" + group->path + "), which the model does not have");
    }
  }
  loader.assign();
}

}  // namespace strata
