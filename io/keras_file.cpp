// SPDX-License-Identifier: Apache-2.0
#include "io/keras_file.h"

#include <algorithm>

#include "core/base/error.h"
#include "io/hdf5_file.h"

namespace strata {
namespace {

const std::string kWeights = "/model_weights", kOptimizer = "/optimizer_weights";
// Keras' name for it: weights that belong to the model and to none of its layers. Models of layers have none.
const std::string kTopLevel = "top_level_model_weights";
const std::string kBackend = "tensorflow";
const std::string kPosition = "strata_position";

std::string below(const std::string& group, const std::string& name) {
  return (group == "/" ? "" : group) + "/" + name;
}

void write_arrays(Hdf5Writer& writer, const std::string& group, const std::vector<NamedArray>& arrays) {
  std::vector<std::string> names;
  for (const NamedArray& array : arrays) names.push_back(array.name);
  writer.write_names(group, "weight_names", names);
  for (const NamedArray& array : arrays) writer.write_array(group, array.name, array.value);
}

/// What a run has beside its weights, if anything.
void write_state(Hdf5Writer& writer, const std::string& group, const std::vector<NamedArray>& arrays) {
  if (arrays.empty()) return;
  writer.make_group(group);
  write_arrays(writer, group, arrays);
}

/// In the order of names, as Keras makes them: a name may be the beginning of another's path.
void write_layers(Hdf5Writer& writer, const std::string& group, const ModelFile& file) {
  std::vector<std::string> names;
  std::vector<const SavedLayer*> sorted;
  for (const SavedLayer& layer : file.layers) {
    names.push_back(layer.name);
    sorted.push_back(&layer);
  }
  writer.write_names(group, "layer_names", names);
  writer.write_text(group, "backend", kBackend, false);
  writer.write_text(group, "keras_version", file.keras_version, false);
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
  for (const SavedLayer* layer : sorted) {
    writer.make_group(below(group, layer->name));
    write_arrays(writer, below(group, layer->name), layer->weights);
  }
  writer.make_group(below(group, kTopLevel));
  writer.write_names(below(group, kTopLevel), "weight_names", {});
}

std::vector<NamedArray> read_arrays(const Hdf5Reader& reader, const std::string& group) {
  const auto names = reader.names(group, "weight_names");
  if (!names) throw IoError(reader.path(), "the group " + group + " has no attribute weight_names");
  std::vector<NamedArray> arrays;
  for (const std::string& name : *names) arrays.push_back({name, reader.array(group, name)});
  return arrays;
}

std::vector<SavedLayer> read_layers(const Hdf5Reader& reader, const std::string& group) {
  const auto names = reader.names(group, "layer_names");
  if (!names) {
    throw IoError(reader.path(),
                  "expected a model file of Keras: the group " + group + " has no attribute layer_names");
  }
  std::vector<SavedLayer> layers;
  for (const std::string& name : *names) layers.push_back({name, read_arrays(reader, below(group, name))});
  return layers;
}

const std::string kVariables = "vars";

void write_groups(Hdf5Writer& writer, const std::vector<SavedGroup>& groups) {
  for (const SavedGroup& group : groups) {
    const std::string place = below("/" + group.path, kVariables);
    writer.make_group(place);
    writer.write_text(place, "name", group.name, true);
    for (std::size_t i = 0; i < group.variables.size(); ++i) {
      writer.write_array(place, std::to_string(i), group.variables[i]);
    }
  }
}

/// How deep groups may lie: a file whose groups hold each other would have no end.
constexpr int kDeepest = 200;

/// Those of `path` ("layers/dense", "" = the root) and of all groups within.
void read_groups(const Hdf5Reader& reader, const std::string& path, int depth, std::vector<SavedGroup>& groups) {
  const std::string group = "/" + path;
  if (depth > kDeepest) throw IoError(reader.path(), "the group " + group + " lies too deep");
  for (const std::string& member : reader.members(group)) {
    const std::string place = below(group, member);
    if (!reader.has_group(place)) continue;
    if (member != kVariables) {
      read_groups(reader, place.substr(1), depth + 1, groups);
      continue;
    }
    SavedGroup saved{path, reader.text(place, "name").value_or(""), {}};
    const std::size_t count = reader.members(place).size();
    for (std::size_t i = 0; i < count; ++i) saved.variables.push_back(reader.array(place, std::to_string(i)));
    groups.push_back(std::move(saved));
  }
}

Config read_config(const Hdf5Reader& reader, const std::string& attribute) {
  const auto text = reader.text("/", attribute);
  if (!text) return {};
  try {
    return Config::from_json(*text);
  } catch (const ConfigError& error) {
    throw IoError(reader.path(), "the attribute " + attribute + " is not JSON: " + error.what());
  }
}

class KerasHdf5Format final : public ModelFileFormat {
 public:
  void write(const std::string& path, const ModelFile& file) const override {
    Hdf5Writer writer(path);
    if (!file.groups.empty()) {
      write_groups(writer, file.groups);
      return writer.commit();
    }
    if (file.model.is_null()) {
      write_layers(writer, "/", file);
    } else {
      writer.write_text("/", "keras_version", file.keras_version, true);
      writer.write_text("/", "backend", kBackend, true);
      writer.write_text("/", "model_config", file.model.to_json(), false);
      if (!file.training.is_null()) writer.write_text("/", "training_config", file.training.to_json(), false);
      writer.make_group(kWeights);
      write_layers(writer, kWeights, file);
    }
    if (!file.position.is_null()) writer.write_text("/", kPosition, file.position.to_json(), false);
    write_state(writer, kOptimizer, file.optimizer);
    writer.commit();
  }

  ModelFile read(const std::string& path) const override {
    const Hdf5Reader reader(path);
    ModelFile file;
    const bool older = reader.has_group(kWeights) || reader.names("/", "layer_names");
    if (!older) read_groups(reader, "", 0, file.groups);
    if (!file.groups.empty()) return file;
    file.model = read_config(reader, "model_config");
    file.training = read_config(reader, "training_config");
    file.position = read_config(reader, kPosition);
    const std::string group = reader.has_group(kWeights) ? kWeights : "/";
    file.keras_version = reader.text(group, "keras_version").value_or("1");
    file.layers = read_layers(reader, group);
    if (reader.has_group(kOptimizer)) file.optimizer = read_arrays(reader, kOptimizer);
    return file;
  }
};

}  // namespace

const ModelFileFormat& keras_hdf5_format() {
  static const KerasHdf5Format format;
  return format;
}

}  // namespace strata
