// SPDX-License-Identifier: Apache-2.0
#include "core/model/summary.h"

#include <algorithm>
#include <regex>
#include <unordered_map>
#include <unordered_set>

#include "core/base/error.h"
#include "core/base/quoted_list.h"
#include "core/model/input_layer.h"
#include "core/model/sequential.h"
#include "core/model/subclassed.h"
#include "core/model/summary_table.h"

namespace strata {
namespace {

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

/// The layers of a model; none for other layers, which are not shown in parts.
std::vector<LayerRef> layers_within(const Layer& layer) {
  if (const auto* graph = dynamic_cast<const Functional*>(&layer)) return graph->layers();
  return dynamic_cast<const SubclassedModel*>(&layer) != nullptr ? layer.sublayers() : std::vector<LayerRef>{};
}

std::string params_cell(const Layer& layer) {
  return layer.built() ? std::to_string(layer.count_params()) : "0 (unused)";  // as Keras since TF 2.3
}

/// The rows of a table, filled from a model and, if asked for, the models within it.
class Rows {
 public:
  Rows(const SummaryTable& table, bool expand) : table_(table), expand_(expand) {}

  /// The layers [first, last) of a model within `level` others, with rules between them; as in Keras, the lower edge of
  /// a frame is one.
  void add_layers(const Layer& model, std::size_t first, std::size_t last, int level) {
    const std::vector<LayerRef> layers = layers_within(model);
    const auto* graph = dynamic_cast<const Functional*>(&model);
    Connections connections = graph != nullptr && table_.connected() ? connections_of(*graph) : Connections{};
    bool framed = true;
    for (std::size_t i = first; i < last; ++i) {
      if (!framed) lines_.push_back(table_.rule('_', level));
      framed = add_layer(layers[i], connections[&layers[i].layer()], level);
    }
  }
  std::vector<std::string> take() { return std::move(lines_); }

 private:
  /// Whether the rows end with the frame around a model's layers.
  bool add_layer(const LayerRef& layer, const std::vector<std::string>& connections, int level) {
    std::vector<std::string> cells = {layer.name() + " (" + layer.layer().class_name() + ")", shape_cell(layer),
                                      params_cell(layer.layer())};
    if (table_.connected()) cells.push_back(connections.empty() ? "" : connections[0]);
    if (table_.shows_trainable()) cells.emplace_back(layer.trainable() ? "Y" : "N");
    lines_.push_back(table_.row(cells, level));
    for (std::size_t i = 1; i < connections.size(); ++i) {
      cells.assign(cells.size(), "");
      cells[3] = connections[i];
      lines_.push_back(table_.row(cells, level));
    }
    const std::size_t within = expand_ ? layers_within(layer.layer()).size() : 0;
    if (within == 0) return false;
    lines_.push_back(table_.frame_top(level));
    add_layers(layer.layer(), 0, within, level + 1);
    lines_.push_back(table_.frame_bottom(level));
    return true;
  }

  const SummaryTable& table_;
  bool expand_;
  std::vector<std::string> lines_;
};

/// The indices of the layers whose names begin with what the regular expression describes.
std::vector<std::size_t> matching(const std::vector<LayerRef>& layers, const std::string& expression) {
  std::vector<std::size_t> found;
  try {
    const std::regex pattern(expression);
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const bool begins = std::regex_search(layers[i].name(), pattern, std::regex_constants::match_continuous);
      if (begins) found.push_back(i);
    }
  } catch (const std::regex_error& error) {
    throw ConfigError("summary: layer_range holds no regular expression: '" + expression + "': " + error.what());
  }
  return found;
}

/// The first index and the one after the last: of all layers, unless a range is given.
std::pair<std::size_t, std::size_t> range_of(const std::vector<LayerRef>& layers,
                                             const std::vector<std::string>& range) {
  if (range.empty()) return {0, layers.size()};
  if (range.size() != 2) {
    throw ConfigError("layer_range must be a list or tuple of length 2. Received: layer_range = " + quoted_list(range) +
                      " of length " + std::to_string(range.size()));
  }
  const auto lower = matching(layers, range[0]), upper = matching(layers, range[1]);
  if (lower.empty() || upper.empty()) {
    throw ConfigError("Passed layer_names do not match the layer names in the model. Received: " + quoted_list(range));
  }
  if (lower.front() > upper.back()) return {upper.front(), lower.back() + 1};
  return {lower.front(), upper.back() + 1};
}

}  // namespace

std::vector<std::string> summary_lines(const Functional& model, const SummaryOptions& options) {
  if (!model.built()) {
    throw ConfigError(
        "This model has not yet been built. Build the model first by calling `build()` or calling `fit()` "
        "with some data, or specify an `input_shape` argument in the first layer(s) for automatic build.");
  }
  const SummaryTable table(!is_chain(model), options);
  const auto [first, last] = range_of(model.layers(), options.layer_range);
  const Dim trainable = count(model.trainable_weights()), fixed = count(model.non_trainable_weights());
  Rows rows(table, options.expand_nested);
  rows.add_layers(model, first, last, 0);
  std::vector<std::string> lines = {"Model: \"" + model.name() + "\"", table.rule('_'), table.row(table.headers()),
                                    table.rule('=')};
  for (std::string& line : rows.take()) lines.push_back(std::move(line));
  for (const std::string& line :
       {table.rule('='), "Total params: " + grouped(trainable + fixed), "Trainable params: " + grouped(trainable),
        "Non-trainable params: " + grouped(fixed), table.rule('_')}) {
    lines.push_back(line);
  }
  return lines;
}

std::string summary_text(const Functional& model, const SummaryOptions& options) {
  std::string text;
  for (const std::string& line : summary_lines(model, options)) text += line + "\n";
  return text;
}

}  // namespace strata
