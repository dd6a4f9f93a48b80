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

/// An initial state counts as further inputs; a mask is a keyword argument.
Config inbound_node(const ModelNode& call, const CallNumbers& calls) {
  auto [tensors, options] = call.op().arguments(call.node->inputs());
  tensors.insert(tensors.end(), options.initial_state.begin(), options.initial_state.end());
  Config arguments = Config::object();
  if (options.training) arguments.set("training", *options.training);
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
