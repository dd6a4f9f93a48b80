// SPDX-License-Identifier: Apache-2.0
#include "core/model/node_reader.h"

#include <algorithm>
#include <map>

#include "core/base/error.h"
#include "core/model/takes_initial_state.h"

namespace strata {
namespace {

TensorHistory history_of(const Config::List& list) {
  return {list[0].as_string(), static_cast<int>(list[1].as_int()), static_cast<int>(list[2].as_int())};
}

/// Reads the arguments of one call.
class NodeReader {
 public:
  NodeReader(const Layer& layer, const TensorLookup& lookup) : layer_(layer), lookup_(lookup) {}

  void read_list(const Config& node) {
    is_list_ = true;
    const Config::List sources = sources_of(node);
    for (const Config& source : sources) add_inputs(source);
    // tf.keras repeats the keyword arguments with every input.
    if (!sources.empty() && sources.back().as_list().size() > 3) read_keywords(sources.back().as_list()[3]);
    take_states();
  }

  void read_object(const Config& node) {
    add_inputs(node.at("args"));
    read_keywords(node.at("kwargs"));
  }

  std::optional<CallArguments> result() const { return complete_ ? std::optional<CallArguments>(call_) : std::nullopt; }

 private:
  /// All tensors in a value, in order; nulls are empty handles.
  std::vector<Tensor> tensors(const Config& value) {
    auto history = list_history(value);
    if (!history) history = keras_tensor_history(value);
    if (history) {
      Tensor tensor = lookup_(*history);
      complete_ = complete_ && tensor;
      return {tensor};
    }
    if (value.is_null()) return {Tensor()};
    const bool named = value.is_object() && !value.contains("class_name");
    if (!value.is_list() && !named) {
      throw ConfigError("Layer " + layer_.name() + ": expected a tensor of the model, received " + value.to_json());
    }
    std::vector<Tensor> all;
    for (const Config& entry : named ? values_by_name(value) : value.as_list()) {
      for (Tensor& tensor : tensors(entry)) all.push_back(std::move(tensor));
    }
    return all;
  }

  /// One, a list, or of a model whose inputs have names an object.
  static Config::List sources_of(const Config& node) {
    if (list_history(node)) return {node};
    return node.is_object() ? values_by_name(node) : node.as_list();
  }

  /// tf.keras lists the initial states of a recurrent layer behind its input.
  void take_states() {
    if (dynamic_cast<const TakesInitialState*>(&layer_) == nullptr || call_.inputs.size() < 2) return;
    call_.options.initial_state.assign(call_.inputs.begin() + 1, call_.inputs.end());
    call_.inputs.resize(1);
  }

  void add_inputs(const Config& value) {
    for (Tensor& tensor : tensors(value)) call_.inputs.push_back(std::move(tensor));
  }

  void read_keywords(const Config& keywords) {
    if (keywords.is_null()) return;
    // In the order of the call's arguments, for layers that take their inputs one by one.
    for (const std::string& name : layer_.call_arguments()) {
      if (keywords.contains(name) && !keywords.at(name).is_null()) add_inputs(keywords.at(name));
    }
    for (const auto& [key, value] : keywords.as_object()) {
      if (!value.is_null()) read_keyword(key, value);
    }
  }

  void read_keyword(const std::string& key, const Config& value) {
    const std::vector<std::string> names = layer_.call_arguments();
    if (std::find(names.begin(), names.end(), key) != names.end()) return;
    CallOptions& options = call_.options;
    if (options.arguments.is_null()) options.arguments = Config::object();
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (key == names[i] + "_mask") return set_mask(i, tensors(value).at(0));
    }
    if (key == "training") options.training = training(value);
    else if (key == "mask") options.mask = tensors(value);
    else if (key == "initial_state") options.initial_state = tensors(value);
    else if (key == "attention_mask") options.attention_mask = tensors(value).at(0);
    else if (key == "return_attention_scores") options.return_attention_scores = value.as_bool();
    else if (key == "use_causal_mask") options.use_causal_mask = value.as_bool();
    else if (key == "inputs") add_inputs(value);
    else options.arguments.set(key, value);
  }

  /// Keras 3 adds `false` to every call that takes the argument, and does not heed it; Strata writes 0 where a user
  /// said so.
  std::optional<bool> training(const Config& value) const {
    if (value.is_int()) return value.as_int() != 0;
    if (value.as_bool() || is_list_) return value.as_bool();
    return {};
  }

  void set_mask(std::size_t input, Tensor mask) {
    auto& masks = call_.options.mask;
    masks.resize(std::max(masks.size(), input + 1));
    masks[input] = std::move(mask);
  }

  const Layer& layer_;
  const TensorLookup& lookup_;
  CallArguments call_;
  bool complete_ = true;
  bool is_list_ = false;
};

}  // namespace

Config::List values_by_name(const Config& object) {
  const std::map<std::string, Config> sorted(object.as_object().begin(), object.as_object().end());
  Config::List values;
  for (const auto& entry : sorted) values.push_back(entry.second);
  return values;
}

bool is_keras3_node(const Config& node) { return node.is_object() && node.contains("args"); }

std::optional<TensorHistory> list_history(const Config& value) {
  if (!value.is_list()) return {};
  const Config::List& list = value.as_list();
  if (list.size() < 3 || !list[0].is_string() || !list[1].is_int() || !list[2].is_int()) return {};
  return history_of(list);
}

std::optional<TensorHistory> keras_tensor_history(const Config& value) {
  if (!value.is_object() || !value.contains("class_name")) return {};
  if (value.at("class_name") != Config("__keras_tensor__")) return {};
  auto history = list_history(value.at("config").at("keras_history"));
  if (!history) throw ConfigError("expected a tensor's keras_history, received " + value.to_json());
  return history;
}

std::optional<CallArguments> read_node(const Config& node, const Layer& layer, const TensorLookup& lookup) {
  NodeReader reader(layer, lookup);
  if (is_keras3_node(node)) reader.read_object(node);
  else reader.read_list(node);
  return reader.result();
}

}  // namespace strata
