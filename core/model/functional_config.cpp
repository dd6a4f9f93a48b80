// SPDX-License-Identifier: Apache-2.0
// The description of a model as TF 2 writes it into files.
#include <algorithm>
#include <unordered_map>

#include "core/model/functional.h"

namespace strata {
namespace {

using CallNumbers = std::unordered_map<const Node*, int>;

/// [layer, call, output]: where a tensor comes from. Calls are numbered within the model.
Config::List history(const Tensor& tensor, const CallNumbers& calls) {
  return {layer_op(tensor)->layer()->name(), calls.at(tensor.node().get()), tensor.index()};
}

Config mask_config(const std::vector<Tensor>& masks, const CallNumbers& calls) {
  Config::List list;
  for (const Tensor& mask : masks) list.push_back(mask ? Config(history(mask, calls)) : Config());
  return list.size() == 1 ? list[0] : Config(list);
}

/// What the caller said besides the inputs, as keyword arguments.
Config option_arguments(const CallOptions& options, const CallNumbers& calls) {
  Config arguments = Config::object();
  if (options.training) arguments.set("training", *options.training);
  if (options.attention_mask) arguments.set("attention_mask", history(options.attention_mask, calls));
  if (options.return_attention_scores) arguments.set("return_attention_scores", true);
  if (options.use_causal_mask) arguments.set("use_causal_mask", true);
  return arguments;
}

/// A call that takes its inputs one by one: all but the first are keyword arguments, and so is the mask of each.
Config inbound_node_by_name(const CallArguments& call, const std::vector<std::string>& names,
                            const CallNumbers& calls) {
  Config arguments = option_arguments(call.options, calls);
  for (std::size_t i = 1; i < call.inputs.size(); ++i) arguments.set(names.at(i), history(call.inputs[i], calls));
  for (std::size_t i = 0; i < call.options.mask.size(); ++i) {
    const Tensor& mask = call.options.mask[i];
    if (mask) arguments.set(names.at(i) + "_mask", history(mask, calls));
  }
  Config::List first = history(call.inputs[0], calls);
  first.push_back(arguments);
  return Config::List{std::move(first)};
}

/// An initial state counts as further inputs; a mask is a keyword argument.
Config inbound_node(const ModelNode& call, const CallNumbers& calls) {
  CallArguments given = call.op().arguments(call.node->inputs());
  const std::vector<std::string> names = call.layer.layer().call_arguments();
  if (!names.empty()) return inbound_node_by_name(given, names, calls);
  auto& [tensors, options] = given;
  tensors.insert(tensors.end(), options.initial_state.begin(), options.initial_state.end());
  Config arguments = option_arguments(options, calls);
  if (!options.mask.empty()) arguments.set("mask", mask_config(options.mask, calls));
  Config::List sources;
  for (const Tensor& tensor : tensors) {
    Config::List source = history(tensor, calls);
    source.push_back(arguments);
    sources.emplace_back(std::move(source));
  }
  return sources;
}

Config histories(const std::vector<Tensor>& tensors, const CallNumbers& calls) {
  Config::List list;
  for (const Tensor& tensor : tensors) list.emplace_back(history(tensor, calls));
  return list;
}

}  // namespace

Config Functional::config() const {
  CallNumbers numbers;
  std::unordered_map<const Layer*, std::vector<const ModelNode*>> calls;
  for (const ModelNode& call : model_nodes()) {
    numbers[call.node.get()] = call.call;
    calls[&call.layer.layer()].push_back(&call);
  }
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
                         {"input_layers", histories(inputs(), numbers)},
                         {"output_layers", histories(outputs(), numbers)}});
}

Config Functional::get_config() const {
  Config all = Config::object({{"name", name()}});
  for (const auto& [key, value] : config().as_object()) all.set(key, value);
  return all;
}

}  // namespace strata
