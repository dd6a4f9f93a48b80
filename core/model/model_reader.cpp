// SPDX-License-Identifier: Apache-2.0
#include "core/model/model_reader.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "core/base/error.h"
#include "core/model/input_layer.h"
#include "core/model/layer_classes.h"
#include "core/model/node_reader.h"
#include "core/model/session.h"

namespace strata {
namespace {

LayerOptions model_options(const Config& config) {
  const Config& name = config.get("name");
  const Config& trainable = config.get("trainable");
  return {.name = name.is_null() ? "" : name.as_string(), .trainable = trainable.is_null() || trainable.as_bool()};
}

/// The histories in "input_layers" or "output_layers": one, a list, or an object in the order of its sorted keys.
void collect_histories(const Config& value, std::vector<TensorHistory>& all) {
  if (const auto history = list_history(value)) {
    all.push_back(*history);
  } else if (value.is_object()) {
    for (const Config& entry : values_by_name(value)) collect_histories(entry, all);
  } else {
    for (const Config& entry : value.as_list()) collect_histories(entry, all);
  }
}

std::vector<TensorHistory> histories(const Config& value) {
  std::vector<TensorHistory> all;
  collect_histories(value, all);
  return all;
}

/// Rebuilds a graph call by call. Layers may be called at several depths, so a call waits until all its inputs exist.
class GraphReader {
 public:
  explicit GraphReader(const Config& config) : config_(config) {
    for (const Config& entry : config.at("layers").as_list()) add_layer(entry);
    for (const Entry& entry : entries_) {
      for (const Config& node : entry.nodes) note_form(node);
    }
  }

  LayerRef read() {
    while (std::any_of(entries_.begin(), entries_.end(), [](const Entry& e) { return e.next < e.nodes.size(); })) {
      bool progress = false;
      for (Entry& entry : entries_) progress = make_calls(entry) || progress;
      if (!progress) refuse();
    }
    const Arrays inputs = ends(config_.at("input_layers")), outputs = ends(config_.at("output_layers"));
    return LayerRef(std::make_shared<Functional>(inputs, outputs, model_options(config_)));
  }

 private:
  struct Entry {
    std::string name;
    std::string class_name;
    LayerRef layer;  // empty for an operation of Keras
    Config::List nodes;
    std::size_t next = 0;                    // the first node that is not made yet
    std::vector<std::vector<Tensor>> calls;  // their outputs
    bool refers_from_zero = false;           // whether a list names its call 0
  };

  void add_layer(const Config& config) {
    Entry entry;
    entry.nodes = config.get("inbound_nodes").is_null() ? Config::List{} : config.at("inbound_nodes").as_list();
    if (config.at("class_name") == Config("InputLayer")) {
      const Tensor input = read_input(config.at("config"));
      entry.layer = LayerRef(layer_op(input)->layer());
      entry.calls.push_back({input});
      entry.nodes.clear();
    } else if (is_operation(config)) {
      entry.nodes.clear();
    } else {
      entry.layer = deserialize_layer(config);
    }
    entry.class_name = config.at("class_name").as_string();
    entry.name = config.contains("name") ? config.at("name").as_string() : entry.layer.name();
    places_[entry.name] = entries_.size();
    entries_.push_back(std::move(entry));
  }

  Entry& entry(const std::string& name) {
    const auto place = places_.find(name);
    if (place == places_.end()) {
      throw ConfigError("Invalid functional model configuration: a call refers to the layer \"" + name +
                        "\", which the model does not list.");
    }
    return entries_[place->second];
  }

  /// tf.keras 2 counts a nested model's own construction as its call 0, Keras 3 does not.
  void note_form(const Config& node) {
    if (is_keras3_node(node)) {
      has_objects_ = true;
      return;
    }
    for (const TensorHistory& source : histories(node)) {
      if (source.call == 0) entry(source.layer).refers_from_zero = true;
    }
  }

  Tensor find(const TensorHistory& history, int first) {
    const Entry& from = entry(history.layer);
    if (!from.layer) throw unknown_layer(from.class_name);
    const int call = history.call - first;
    if (call < 0 || history.output < 0) {
      throw ConfigError("Invalid functional model configuration: no output " + std::to_string(history.output) +
                        " of call " + std::to_string(history.call) + " of layer \"" + history.layer + "\"");
    }
    if (static_cast<std::size_t>(call) >= from.calls.size()) return {};
    const auto& outputs = from.calls[static_cast<std::size_t>(call)];
    if (static_cast<std::size_t>(history.output) < outputs.size()) {
      return outputs[static_cast<std::size_t>(history.output)];
    }
    throw ConfigError("Invalid functional model configuration: layer \"" + history.layer + "\" has " +
                      std::to_string(outputs.size()) + " outputs, output " + std::to_string(history.output) +
                      " is asked for.");
  }

  static int first_in_lists(const Entry& from) {
    return from.refers_from_zero || !from.layer ? 0 : from.layer.layer().first_call();
  }

  /// Keras 3 lists the operations that make masks, such as NotEqual, among the layers. Here masks come by themselves.
  static bool is_operation(const Config& config) {
    return config.contains("name") && !find_layer_class(config.at("class_name").as_string());
  }

  bool comes_from_operation(const Config& value) {
    if (const auto history = keras_tensor_history(value)) return !entry(history->layer).layer;
    if (!value.is_list()) return false;
    const Config::List& list = value.as_list();
    return std::any_of(list.begin(), list.end(), [&](const Config& v) { return comes_from_operation(v); });
  }

  /// A node as Keras 3 writes it, without masks that operations made.
  Config without_made_masks(const Config& node) {
    Config keywords = Config::object();
    for (const auto& [key, value] : node.at("kwargs").as_object()) {
      if (!(key.ends_with("mask") && comes_from_operation(value))) keywords.set(key, value);
    }
    return Config::object({{"args", node.at("args")}, {"kwargs", keywords}});
  }

  /// Makes the calls whose inputs are there, in order; whether there was any.
  bool make_calls(Entry& entry) {
    bool progress = false;
    for (; entry.next < entry.nodes.size(); ++entry.next) {
      const Config& node = entry.nodes[entry.next];
      const bool lists = !is_keras3_node(node);
      const auto arguments =
          read_node(lists ? node : without_made_masks(node), entry.layer.layer(), [&](const TensorHistory& history) {
            return find(history, lists ? first_in_lists(this->entry(history.layer)) : 0);
          });
      if (!arguments) break;
      entry.calls.push_back(entry.layer.call(arguments->inputs, arguments->options));
      progress = true;
    }
    return progress;
  }

  /// The model's inputs or outputs: by name where all entries of an object are single tensors.
  Arrays ends(const Config& value) {
    if (!value.is_object()) return end_tensors(value);
    std::vector<Arrays::Named> named;
    for (const auto& [name, entry] : value.as_object()) {
      const std::vector<Tensor> tensors = end_tensors(entry);
      if (tensors.size() != 1) return end_tensors(value);
      named.emplace_back(name, tensors[0]);
    }
    return named;
  }

  /// Keras 3 counts functional models from 1 here and Sequentials from 0.
  std::vector<Tensor> end_tensors(const Config& value) {
    std::vector<Tensor> tensors;
    for (const TensorHistory& history : histories(value)) {
      const Entry& from = entry(history.layer);
      if (!from.layer) throw unknown_layer(from.class_name);
      const bool sequential = dynamic_cast<const SequentialGraph*>(&from.layer.layer()) != nullptr;
      const bool from_zero = history.call == 0 || (sequential && (has_objects_ || from.refers_from_zero));
      const Tensor tensor = find(history, from_zero ? 0 : from.layer.layer().first_call());
      if (!tensor) {
        throw ConfigError("Invalid functional model configuration: layer \"" + history.layer + "\" is called " +
                          std::to_string(from.calls.size()) + " times, output of call " + std::to_string(history.call) +
                          " is asked for.");
      }
      tensors.push_back(tensor);
    }
    return tensors;
  }

  [[noreturn]] void refuse() const {
    std::string waiting;
    for (const Entry& entry : entries_) {
      if (entry.next < entry.nodes.size()) waiting += (waiting.empty() ? "" : ", ") + entry.name;
    }
    throw ConfigError(
        "Invalid functional model configuration: the graph has a cycle or is disconnected. Calls of these layers wait "
        "for inputs that nothing makes: " +
        waiting);
  }

  const Config& config_;
  std::vector<Entry> entries_;
  std::unordered_map<std::string, std::size_t> places_;
  bool has_objects_ = false;  // whether calls are objects, as Keras 3 writes them
};

/// The shape under one of its names; null when there is none.
const Config& batch_shape_of(const Config& config) {
  const Config& modern = config.get("batch_shape");
  return modern.is_null() ? config.get("batch_input_shape") : modern;
}

Dtype input_dtype(const Config& config) {
  const auto policy = DtypePolicy::from_config(config.get("dtype"));
  return policy ? policy->compute_dtype() : Session::current().default_dtype();
}

}  // namespace

ConfigError unknown_layer(const std::string& class_name) {
  return ConfigError("Unknown layer: " + class_name + how_to_make_known(class_name));
}

Tensor read_input(const Config& config) {
  const Config& shape = batch_shape_of(config);
  if (shape.is_null())
    throw ConfigError("InputLayer: expected the argument 'batch_shape', received " + config.to_json());
  const Config& name = config.get("name");
  return make_input(shape.as_shape(), input_dtype(config), name.is_null() ? "" : name.as_string());
}

LayerRef read_input_layer(const Config& config) { return LayerRef(layer_op(read_input(config))->layer()); }

LayerRef read_functional(const Config& config) { return GraphReader(config).read(); }

LayerRef read_sequential(const Config& config) {
  const Config::List& layers = config.is_list() ? config.as_list() : config.at("layers").as_list();
  std::vector<SequentialEntry> entries;
  for (const Config& entry : layers) {
    const Config& own = entry.at("config");
    if (entry.at("class_name") == Config("InputLayer")) {
      entries.emplace_back(read_input(own));
      continue;
    }
    const LayerRef layer = deserialize_layer(entry);
    // Before TF 2.2 the first layer carried the input's shape.
    if (entries.empty() && own.is_object() && !batch_shape_of(own).is_null()) {
      entries.emplace_back(make_input(batch_shape_of(own).as_shape(), input_dtype(own), layer.name() + "_input"));
    }
    entries.emplace_back(layer);
  }
  const LayerOptions options = config.is_list() ? LayerOptions{} : model_options(config);
  const auto model = std::make_shared<SequentialGraph>(entries, options);
  const bool has_shape = config.is_object() && config.get("build_input_shape").is_list();
  if (!model->built() && has_shape && !entries.empty()) {
    model->ensure_built({TensorSpec{config.at("build_input_shape").as_shape(), Session::current().default_dtype()}});
  }
  return LayerRef(model);
}

}  // namespace strata
