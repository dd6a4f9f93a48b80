// SPDX-License-Identifier: Apache-2.0
#include "core/model/stored_parts.h"

#include <map>
#include <unordered_set>

#include "core/model/functional.h"
#include "core/model/session.h"
#include "core/model/subclassed.h"
#include "core/model/variable_set.h"

namespace strata {
namespace {

std::string joined(const std::string& path, const std::string& name) {
  return path.empty() || name.empty() ? path + name : path + "/" + name;
}

/// Keras' name of the class in files.
std::string class_in_files(const Layer& layer) {
  const std::string name = layer.class_name();
  return dynamic_cast<const Functional*>(&layer) != nullptr && name == "Model" ? "functional" : to_snake_case(name);
}

std::vector<StoredPart> parts_of(const Layer& layer) {
  if (const auto* own = dynamic_cast<const HasStoredParts*>(&layer)) return own->stored_parts();
  const bool model =
      dynamic_cast<const Functional*>(&layer) != nullptr || dynamic_cast<const SubclassedModel*>(&layer) != nullptr;
  return stored_list(model ? "layers" : "", layer.sublayers());
}

class Walk {
 public:
  void visit(const LayerRef& layer, const std::string& path) {
    if (!seen_.insert(&layer.layer()).second) return;
    const std::vector<StoredPart> parts = parts_of(layer.layer());
    VariableSet within;
    for (const StoredPart& part : parts) {
      const std::vector<Variable> weights = part.layer ? part.layer.weights() : part.weights;
      within.insert(weights.begin(), weights.end());
    }
    StoredGroup group{path, layer.name(), {}};
    for (const Variable& weight : layer.weights()) {
      if (!within.contains(weight)) group.weights.push_back(weight);
    }
    groups.push_back(std::move(group));
    for (const StoredPart& part : parts) {
      const std::string place = joined(path, part.path);
      if (part.layer) visit(part.layer, place);
      else groups.push_back({place, part.name, part.weights});
    }
  }

  std::vector<StoredGroup> groups;

 private:
  std::unordered_set<const Layer*> seen_;
};

}  // namespace

std::vector<StoredPart> stored_list(const std::string& attribute, const std::vector<LayerRef>& layers) {
  std::vector<StoredPart> parts;
  std::map<std::string, int> used;
  for (const LayerRef& layer : layers) {
    const std::string name = class_in_files(layer.layer());
    const int number = used[name]++;
    parts.push_back({joined(attribute, number == 0 ? name : name + "_" + std::to_string(number)), layer});
  }
  return parts;
}

std::vector<StoredGroup> stored_groups(const LayerRef& layer) {
  Walk walk;
  walk.visit(layer, "");
  return std::move(walk.groups);
}

}  // namespace strata
