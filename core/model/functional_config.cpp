// SPDX-License-Identifier: Apache-2.0
// The description of a model as Keras writes it into its HDF5 files.
#include <algorithm>
#include <unordered_map>

#include "core/model/config_dialect.h"
#include "core/model/functional.h"
#include "core/model/sequential.h"

namespace strata {

thread_local ConfigDialect ConfigDialectScope::current_ = ConfigDialect::keras3;

namespace {

bool is_keras3() { return ConfigDialectScope::current() == ConfigDialect::keras3; }

/// The calls of a model: each one's number within the model, where a nested model's first is 1.
class CallNumbers {
 public:
  explicit CallNumbers(const Functional& model) {
    for (const ModelNode& call : model.model_nodes()) numbers_[call.node.get()] = call.call;
  }

  /// [layer, call, output]: where a tensor comes from, `less` being taken off the call.
  Config::List history(const Tensor& tensor, int less = 0) const {
    return {layer_op(tensor)->layer()->name(), numbers_.at(tensor.node().get()) - less, tensor.index()};
  }

 private:
  std::unordered_map<const Node*, int> numbers_;
};

/// A call as the two forms have it: the inputs in order, and keyword arguments, some of which are tensors.
struct CallForm {
  std::vector<Tensor> inputs;
  std::vector<std::pair<std::string, std::vector<Tensor>>> tensors;  // one tensor, or a list of them
  Config values = Config::object();
};

/// The list as it is, or its entries under these keys.
Config under_keys(const std::vector<std::string>& keys, Config::List list) {
  if (keys.empty()) return list;
  Config named = Config::object();
  for (std::size_t i = 0; i < list.size(); ++i) named.set(keys[i], std::move(list[i]));
  return named;
}

/// What the caller said besides tensors.
Config option_values(const CallOptions& options) {
  Config values = Config::object();
  if (options.training) values.set("training", *options.training);
  if (options.return_attention_scores) values.set("return_attention_scores", true);
  if (options.use_causal_mask) values.set("use_causal_mask", true);
  if (options.arguments.is_object()) {
    for (const auto& [name, value] : options.arguments.as_object()) values.set(name, value);
  }
  return values;
}

/// Layers that take their inputs one by one have a mask for each; others one, or a list of them.
void add_masks(const std::vector<Tensor>& masks, const std::vector<std::string>& names, CallForm& form) {
  if (masks.empty()) return;
  if (names.empty()) {
    form.tensors.emplace_back("mask", masks);
    return;
  }
  for (std::size_t i = 0; i < masks.size(); ++i) {
    if (masks[i]) form.tensors.push_back({names.at(i) + "_mask", {masks[i]}});
  }
}

CallForm form_of(const ModelNode& call) {
  const CallArguments given = call.op().arguments(call.node->inputs());
  const CallOptions& options = given.options;
  const std::vector<std::string> names = call.layer.layer().call_arguments();
  CallForm form{given.inputs, {}, option_values(options)};
  if (!names.empty()) {
    for (std::size_t i = 1; i < given.inputs.size(); ++i) form.tensors.push_back({names.at(i), {given.inputs[i]}});
    form.inputs.resize(1);
  }
  if (!options.initial_state.empty()) {
    // tf.keras takes them for further inputs.
    if (is_keras3()) form.tensors.emplace_back("initial_state", options.initial_state);
    else form.inputs.insert(form.inputs.end(), options.initial_state.begin(), options.initial_state.end());
  }
  if (options.attention_mask) form.tensors.push_back({"attention_mask", {options.attention_mask}});
  add_masks(options.mask, names, form);
  return form;
}

/// The names of the inputs of the model that is called; empty for a list, and for other layers.
std::vector<std::string> input_keys(const ModelNode& call) {
  const auto* model = dynamic_cast<const Functional*>(&call.layer.layer());
  return model == nullptr ? std::vector<std::string>() : model->input_keys();
}

/// [[layer, call, output, keyword arguments], ...], or the entries under the names of a model's inputs.
Config list_node(const ModelNode& call, const CallForm& form, const CallNumbers& numbers) {
  Config keywords = form.values;
  for (const auto& [name, tensors] : form.tensors) {
    Config::List list;
    for (const Tensor& tensor : tensors) list.push_back(tensor ? Config(numbers.history(tensor)) : Config());
    keywords.set(name, list.size() == 1 ? list[0] : Config(list));
  }
  Config::List sources;
  for (const Tensor& tensor : form.inputs) {
    Config::List source = numbers.history(tensor);
    source.push_back(keywords);
    sources.emplace_back(std::move(source));
  }
  return under_keys(input_keys(call), std::move(sources));
}

/// Keras 3 does not count a model's own construction.
Config keras_tensor(const Tensor& tensor, const CallNumbers& numbers) {
  if (!tensor) return {};
  const int first = layer_op(tensor)->layer()->first_call();
  return Config::object({{"class_name", "__keras_tensor__"},
                         {"config", Config::object({{"shape", tensor.shape()},
                                                    {"dtype", to_string(tensor.dtype())},
                                                    {"keras_history", numbers.history(tensor, first)}})}});
}

Config::List keras_tensors(const std::vector<Tensor>& tensors, const CallNumbers& numbers) {
  Config::List list;
  for (const Tensor& tensor : tensors) list.push_back(keras_tensor(tensor, numbers));
  return list;
}

/// What a layer is called on: a tensor, a list of them, or for a model whose inputs have names an object.
Config called_on(const ModelNode& call, const std::vector<Tensor>& inputs, const CallNumbers& numbers) {
  const std::vector<std::string> keys = input_keys(call);
  const Config all = under_keys(keys, keras_tensors(inputs, numbers));
  return inputs.size() == 1 && keys.empty() ? all : Config::List{all};
}

/// {"args", "kwargs"}.
Config object_node(const ModelNode& call, const CallForm& form, const CallNumbers& numbers) {
  Config keywords = form.values;
  // Keras 3 adds `false` itself where nobody said so.
  if (keywords.contains("training") && !keywords.at("training").as_bool()) keywords.set("training", 0);
  for (const auto& [name, tensors] : form.tensors) {
    // Keras 3 wants a list of states also where there is one.
    const bool single = tensors.size() == 1 && name != "initial_state";
    keywords.set(name, single ? keras_tensor(tensors[0], numbers) : keras_tensors(tensors, numbers));
  }
  return Config::object({{"args", called_on(call, form.inputs, numbers)}, {"kwargs", keywords}});
}

Config inbound_node(const ModelNode& call, const CallNumbers& numbers) {
  const CallForm form = form_of(call);
  const auto from_model = [](const Tensor& tensor) { return layer_op(tensor)->layer()->first_call() > 0; };
  const bool needs_object = !form.tensors.empty() || !input_keys(call).empty() ||
                            std::any_of(form.inputs.begin(), form.inputs.end(), from_model);
  return is_keras3() && needs_object ? object_node(call, form, numbers) : list_node(call, form, numbers);
}

/// A model's inputs or outputs, in a list or under their keys. Keras 3 counts functional models from 1 here and
/// Sequentials from 0.
Config end_histories(const std::vector<Tensor>& tensors, const std::vector<std::string>& keys,
                     const CallNumbers& numbers) {
  Config::List list;
  for (const Tensor& tensor : tensors) {
    const bool sequential = dynamic_cast<const SequentialGraph*>(layer_op(tensor)->layer().get()) != nullptr;
    list.emplace_back(numbers.history(tensor, sequential && is_keras3() ? 1 : 0));
  }
  return under_keys(keys, std::move(list));
}

}  // namespace

Config Functional::config() const {
  const CallNumbers numbers(*this);
  std::unordered_map<const Layer*, std::vector<const ModelNode*>> calls;
  for (const ModelNode& call : model_nodes()) calls[&call.layer.layer()].push_back(&call);
  Config::List entries;
  for (const LayerRef& layer : layers()) {
    auto& own = calls[&layer.layer()];
    std::sort(own.begin(), own.end(), [](const ModelNode* a, const ModelNode* b) { return a->call < b->call; });
    Config::List inbound;
    for (const ModelNode* call : own) {
      if (!call->node->inputs().empty()) inbound.push_back(inbound_node(*call, numbers));
    }
    entries.push_back(Config::object({{"class_name", layer.layer().class_name()},
                                      {"config", layer.get_config()},
                                      {"name", layer.name()},
                                      {"inbound_nodes", std::move(inbound)}}));
  }
  return Config::object({{"layers", std::move(entries)},
                         {"input_layers", end_histories(inputs(), input_keys(), numbers)},
                         {"output_layers", end_histories(outputs(), output_keys(), numbers)}});
}

Config Functional::get_config() const {
  Config all = Config::object({{"name", name()}});
  // Without it Keras 3 leaves the layers' own flags alone.
  if (!trainable()) all.set("trainable", false);
  for (const auto& [key, value] : config().as_object()) all.set(key, value);
  return all;
}

}  // namespace strata
