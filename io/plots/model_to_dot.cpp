// SPDX-License-Identifier: Apache-2.0
// The text that Graphviz draws models from, in the format of TF 2.0.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_set>
#include <utility>

#include "core/base/error.h"
#include "core/model/input_layer.h"
#include "io/plots/plot_model.h"

namespace strata {
namespace {

/// A string in quotes, in which a backslash before each of `special` keeps Graphviz from reading it.
std::string quoted(const std::string& text, const std::string& special = "\"\\") {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '\n') {
      result += "\\n";
      continue;
    }
    if (special.find(c) != std::string::npos) result += '\\';
    result += c;
  }
  return result + "\"";
}

/// Text within the label of a box, where Graphviz reads braces, bars and angles as the box's inner lines.
std::string escaped(const std::string& text) {
  const std::string in_quotes = quoted(text, "\"\\{}|<>");
  return in_quotes.substr(1, in_quotes.size() - 2);
}

/// A name as a part of a path: no name has the slash that parts them.
std::string path_part(const std::string& name) {
  std::string part;
  for (const char c : name) part += c == '/' ? "%2F" : c == '%' ? "%25" : std::string(1, c);
  return part;
}

/// A layer that wraps another one, which its config names.
struct Wrapped {
  std::string name, class_name;
};

std::optional<Wrapped> wrapped_layer(const Layer& layer) {
  if (dynamic_cast<const Functional*>(&layer) != nullptr || layer.sublayers().empty()) return {};
  Config config;
  try {
    config = layer.config();
  } catch (const ConfigError&) {
    return {};  // a layer of the user's own that cannot be described
  }
  if (!config.is_object() || !config.contains("layer")) return {};
  const Config& inner = config.at("layer");
  if (!inner.is_object() || !inner.contains("class_name") || !inner.contains("config")) return {};
  if (!inner.at("config").is_object() || !inner.at("config").contains("name")) return {};
  std::string name = inner.at("config").at("name").as_string();
  const std::string copied = "forward_";  // a Bidirectional describes its copy of the layer that it was given
  if (config.contains("backward_layer") && name.starts_with(copied)) name = name.substr(copied.size());
  return Wrapped{name, inner.at("class_name").as_string()};
}

/// The model that a layer is, or null.
const Functional* as_model(const Layer& layer) {
  const auto* model = dynamic_cast<const Functional*>(&layer);
  return model != nullptr && !model->model_nodes().empty() ? model : nullptr;
}

/// The model that a layer wraps, or null.
const Functional* wrapped_model(const Layer& layer) {
  if (!wrapped_layer(layer)) return nullptr;
  const std::vector<LayerRef> inner = layer.sublayers();
  return inner.size() == 1 ? as_model(inner[0].layer()) : nullptr;
}

/// Shapes as Python prints them, with "?" for None.
template <class F>
std::string shapes_text(const Layer& layer, const F& get_shapes) {
  std::vector<Shape> shapes;
  try {
    shapes = get_shapes();
  } catch (const ConfigError&) {
    return "?";  // the layer's calls disagree
  }
  std::string text;
  for (const Shape& shape : shapes) text += (text.empty() ? "" : ", ") + shape.str();
  if (shapes.size() != 1 || dynamic_cast<const InputLayer*>(&layer) != nullptr) text = "[" + text + "]";
  for (std::size_t at = text.find("None"); at != std::string::npos; at = text.find("None", at))
    text.replace(at, 4, "?");
  return text;
}

std::string label_of(const LayerRef& layer, const PlotOptions& options) {
  std::string name = layer.name(), class_name = layer.layer().class_name();
  const auto wrapped = wrapped_layer(layer.layer());
  if (wrapped && !(options.expand_nested && wrapped_model(layer.layer()) != nullptr)) {
    name += "(" + wrapped->name + ")";
    class_name += "(" + wrapped->class_name + ")";
  }
  std::string label = escaped(options.show_layer_names ? name + ": " + class_name : class_name);
  if (options.show_dtype) label += fmt::format("|{}", to_string(layer.layer().dtype()));
  if (options.show_shapes) {
    label += fmt::format("\\n|{{input:|output:}}|{{{{{}}}|{{{}}}}}",
                         escaped(shapes_text(layer.layer(), [&] { return layer.input_shapes(); })),
                         escaped(shapes_text(layer.layer(), [&] { return layer.output_shapes(); })));
  }
  return "\"" + label + "\"";
}

/// The layers of a model. Those of a Sequential leave out its input.
std::vector<LayerRef> drawn_layers(const Functional& model) {
  std::unordered_set<const Layer*> known;
  for (const LayerRef& layer : model.layers()) known.insert(&layer.layer());
  std::vector<LayerRef> layers;
  for (const Tensor& input : model.inputs()) {
    const LayerRef layer(layer_op(input)->layer());
    if (known.insert(&layer.layer()).second) layers.push_back(layer);
  }
  layers.insert(layers.end(), model.layers().begin(), model.layers().end());
  return layers;
}

/// Writes a graph, the clusters of the models within it, and the arrows of all of them.
class Drawing {
 public:
  explicit Drawing(const PlotOptions& options) : options_(options) {}

  void add_model(const Functional& model, const std::string& prefix, int level) {
    const std::string indent(static_cast<std::size_t>(2 * level), ' ');
    for (const LayerRef& layer : drawn_layers(model)) add_layer(layer, prefix, level);
    std::vector<const ModelNode*> calls;
    for (const ModelNode& call : model.model_nodes()) calls.push_back(&call);
    std::stable_sort(calls.begin(), calls.end(), [](auto* a, auto* b) { return a->call < b->call; });
    for (const LayerRef& layer : drawn_layers(model)) {
      for (const ModelNode* call : calls) {
        if (call->layer == layer) add_arrows(*call, prefix, indent);
      }
    }
  }

  void add_box(const std::string& id, const std::string& label, int level) {
    text_ += std::string(static_cast<std::size_t>(2 * level), ' ') + quoted(id) + " [label=" + label + "];\n";
  }

  const std::string& text() const { return text_; }

 private:
  void add_layer(const LayerRef& layer, const std::string& prefix, int level) {
    const std::string id = prefix + path_part(layer.name());
    const Functional* model = options_.expand_nested ? as_model(layer.layer()) : nullptr;
    const Functional* wrapped = options_.expand_nested ? wrapped_model(layer.layer()) : nullptr;
    if (model != nullptr) {
      add_cluster(*model, id, level);
      return;
    }
    add_box(id, label_of(layer, options_), level);
    if (wrapped == nullptr) return;
    add_cluster(*wrapped, id + "/" + path_part(wrapped->name()), level);
    const std::string indent(static_cast<std::size_t>(2 * level), ' ');
    add_arrow(id, entry_of(*wrapped, id + "/" + path_part(wrapped->name()), 0), indent);
  }

  void add_cluster(const Functional& model, const std::string& id, int level) {
    const std::string indent(static_cast<std::size_t>(2 * level), ' ');
    text_ += indent + "subgraph " + quoted("cluster_" + id) + " {\n";
    text_ += indent + "  style=dashed;\n" + indent + "  label=" + quoted(model.name()) + ";\n";
    text_ += indent + "  labeljust=l;\n";
    add_model(model, id + "/", level + 1);
    text_ += indent + "}\n";
  }

  /// Where an arrow to input `index` of the model at `id` ends.
  static std::string entry_of(const Functional& model, const std::string& id, std::size_t index) {
    const auto& inputs = model.inputs();
    const Tensor& input = inputs[std::min(index, inputs.size() - 1)];
    return id + "/" + path_part(layer_op(input)->layer()->name());
  }

  /// Where an arrow from output `index` of the layer at `prefix` begins: in a cluster, at the layer that makes it.
  std::string source_of(const Layer& layer, std::size_t index, const std::string& prefix) const {
    std::string id = prefix + path_part(layer.name());
    const Functional* model = options_.expand_nested ? as_model(layer) : nullptr;
    const Functional* wrapped = options_.expand_nested ? wrapped_model(layer) : nullptr;
    const Functional* inner = model != nullptr ? model : wrapped;
    if (inner == nullptr) return id;
    const Tensor& output = inner->outputs().at(index);
    const std::string inside = model != nullptr ? id + "/" : id + "/" + path_part(wrapped->name()) + "/";
    return source_of(*layer_op(output)->layer(), static_cast<std::size_t>(output.index()), inside);
  }

  void add_arrows(const ModelNode& call, const std::string& prefix, const std::string& indent) {
    const std::string id = prefix + path_part(call.layer.name());
    const Functional* model = options_.expand_nested ? as_model(call.layer.layer()) : nullptr;
    const auto& inputs = call.node->inputs();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Layer& from = *layer_op(inputs[i])->layer();
      add_arrow(source_of(from, static_cast<std::size_t>(inputs[i].index()), prefix),
                model != nullptr ? entry_of(*model, id, i) : id, indent);
    }
  }

  void add_arrow(const std::string& from, const std::string& to, const std::string& indent) {
    if (!arrows_.emplace(from, to).second) return;
    text_ += indent + quoted(from) + " -> " + quoted(to) + ";\n";
  }

  PlotOptions options_;
  std::string text_;
  std::set<std::pair<std::string, std::string>> arrows_;
};

void check(const Functional& model, const PlotOptions& options) {
  if (!model.built())
    throw ConfigError("Model " + model.name() + " has not yet been built, so there is nothing to plot.");
  const std::set<std::string> directions = {"TB", "LR", "BT", "RL"};
  if (!directions.contains(options.rankdir)) {
    throw ConfigError("The `rankdir` of a plot is one of TB, LR, BT, RL. Received: " + options.rankdir);
  }
  if (options.dpi < 1) {
    throw ConfigError("The `dpi` of a plot is a positive number. Received: " + std::to_string(options.dpi));
  }
}

}  // namespace

std::string model_to_dot(const Functional& model, const PlotOptions& options) {
  check(model, options);
  Drawing drawing(options);
  if (model.model_nodes().empty()) drawing.add_box(path_part(model.name()), "\"" + escaped(model.name()) + "\"", 1);
  else drawing.add_model(model, "", 1);
  return fmt::format("digraph G {{\n  rankdir={};\n  concentrate=true;\n  dpi={};\n  node [shape=record];\n{}}}\n",
                     options.rankdir, options.dpi, drawing.text());
}

}  // namespace strata
