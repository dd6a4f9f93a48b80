// SPDX-License-Identifier: Apache-2.0
// The table that Keras' model.summary() prints, in the format of TF 2.0.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "core/base/error.h"
#include "core/model/functional.h"
#include "core/model/input_layer.h"
#include "core/model/sequential.h"

namespace strata {
namespace {

/// Bytes of the first `characters` characters of UTF-8 text.
std::size_t bytes_of(const std::string& text, std::size_t characters) {
  std::size_t at = 0;
  for (; at < text.size() && characters > 0; --characters) {
    do ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  }
  return at;
}

std::size_t characters_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

/// One row: every field is cut at the end of its column, and its last character gives way to the next column.
std::string row_text(const std::vector<std::string>& fields, const std::vector<std::size_t>& ends) {
  std::string line;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) {
      line.resize(bytes_of(line, characters_of(line) - 1));
      line += ' ';
    }
    line += fields[i];
    line.resize(bytes_of(line, ends[i]));
    line.append(ends[i] - characters_of(line), ' ');
  }
  return line + "\n";
}

/// 55050 as "55,050".
std::string grouped(Dim number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

Dim count(const std::vector<Variable>& weights) {
  Dim total = 0;
  for (const Variable& weight : weights) total += weight.shape().elements();
  return total;
}

/// A chain needs no column for the connections.
bool is_chain(const Functional& model) {
  if (dynamic_cast<const SequentialGraph*>(&model) != nullptr) return true;
  std::unordered_set<int> depths;
  std::unordered_set<const Layer*> layers;
  for (const ModelNode& call : model.model_nodes()) {
    if (call.node->inputs().size() > 1) return false;
    if (!depths.insert(call.depth).second || !layers.insert(&call.layer.layer()).second) return false;
  }
  return true;
}

std::string shape_cell(const LayerRef& layer) {
  std::vector<Shape> shapes;
  try {
    shapes = layer.output_shapes();
  } catch (const ConfigError&) {
    return "multiple";  // Keras' word for calls that disagree
  }
  if (shapes.size() == 1 && dynamic_cast<const InputLayer*>(&layer.layer()) == nullptr) return shapes[0].str();
  std::string text = "[";
  for (std::size_t i = 0; i < shapes.size(); ++i) text += (i > 0 ? ", " : "") + shapes[i].str();
  return text + "]";
}

using Connections = std::unordered_map<const Layer*, std::vector<std::string>>;

/// "layer[call][output]" for every input of every call of a layer in this model, in call order.
Connections connections_of(const Functional& model) {
  std::vector<const ModelNode*> calls;
  for (const ModelNode& call : model.model_nodes()) calls.push_back(&call);
  std::sort(calls.begin(), calls.end(),
            [](const ModelNode* a, const ModelNode* b) { return a->op().call() < b->op().call(); });
  Connections all;
  for (const ModelNode* call : calls) {
    for (const Tensor& input : call->node->inputs()) {
      const LayerOp* from = layer_op(input);
      all[&call->layer.layer()].push_back(from->layer()->name() + "[" + std::to_string(from->call()) + "][" +
                                          std::to_string(input.index()) + "]");
    }
  }
  return all;
}

/// The columns of the two layouts.
struct Layout {
  std::size_t width;
  std::vector<std::size_t> ends;
  std::vector<std::string> headers;
};

Layout layout_of(bool chain) {
  if (chain) return {65, {29, 55, 65}, {"Layer (type)", "Output Shape", "Param #"}};
  return {98, {32, 53, 65, 98}, {"Layer (type)", "Output Shape", "Param #", "Connected to"}};
}

std::string layer_rows(const LayerRef& layer, const Layout& layout, const std::vector<std::string>& connections) {
  const bool connected = layout.ends.size() == 4;
  std::vector<std::string> fields = {layer.name() + " (" + layer.layer().class_name() + ")", shape_cell(layer),
                                     std::to_string(layer.count_params())};
  if (connected) fields.push_back(connections.empty() ? "" : connections[0]);
  std::string text = row_text(fields, layout.ends);
  for (std::size_t i = 1; connected && i < connections.size(); ++i) {
    text += row_text({"", "", "", connections[i]}, layout.ends);
  }
  return text;
}

std::string totals(const Functional& model) {
  const Dim trainable = count(model.trainable_weights());
  const Dim fixed = count(model.non_trainable_weights());
  return "Total params: " + grouped(trainable + fixed) + "\nTrainable params: " + grouped(trainable) +
         "\nNon-trainable params: " + grouped(fixed) + "\n";
}

}  // namespace

std::string summary_text(const Functional& model) {
  if (!model.built()) {
    throw ConfigError(
        "This model has not yet been built. Build the model first by calling `build()` or calling `fit()` "
        "with some data, or specify an `input_shape` argument in the first layer(s) for automatic build.");
  }
  const Layout layout = layout_of(is_chain(model));
  const std::string thin = std::string(layout.width, '_') + "\n";
  const std::string thick = std::string(layout.width, '=') + "\n";
  Connections connections = connections_of(model);
  std::string text = "Model: \"" + model.name() + "\"\n" + thin + row_text(layout.headers, layout.ends) + thick;
  for (std::size_t i = 0; i < model.layers().size(); ++i) {
    const LayerRef& layer = model.layers()[i];
    text += layer_rows(layer, layout, connections[&layer.layer()]);
    text += i + 1 == model.layers().size() ? thick : thin;
  }
  return text + totals(model) + thin;
}

}  // namespace strata
