// SPDX-License-Identifier: Apache-2.0
// Every layer, by Keras class name: how to make it from a config, and the examples that the conformance test runs.
// CMake collects the files of this folder that define register_<stem>(LayerRegistry&); nothing is listed by hand.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/model/layer_classes.h"

namespace strata {

/// One case of the conformance test.
struct LayerExample {
  std::string label = {};
  /// A new layer with weights of this dtype (float32 and, for numeric gradients, float64).
  std::function<LayerRef(Dtype)> make = {};
  /// The known input shapes. Values are drawn from [-1, 1), in the dtype of the layer.
  std::vector<Shape> inputs = {};
  /// Whether the layer's outputs are floating and have a derivative.
  bool differentiable = true;
  /// Whether samples of a block change each other's outputs, as batch statistics of a block do: then training in other
  /// blocks gives other values.
  bool mixes_samples = false;
};

/// What a layer must refuse: made from `config` and then called on inputs of these shapes, it throws this text.
struct LayerRefusal {
  std::string config = {};         // JSON; the conformance test adds the name "layer"
  std::vector<Shape> inputs = {};  // empty = it is not called
  std::string text = {};
};

/// An example of make(options), a layer with the name "layer" and the dtype that is asked for.
template <class Options, class Make>
LayerExample layer_example(std::string label, Options options, Shape input, Make make) {
  options.name = "layer";
  const auto make_of = [=](Dtype dtype) {
    Options own = options;
    own.dtype = dtype;
    return make(own);
  };
  return {std::move(label), make_of, {std::move(input)}};
}

struct LayerEntry {
  std::string class_name = {};
  /// From what get_config() returns. Throws ConfigError for missing, unknown or unsupported arguments.
  LayerFactory from_config = {};
  std::vector<LayerExample> examples = {};
  /// One for each check of arguments and of shapes that the layer's header documents, where no test of its own has
  /// them.
  std::vector<LayerRefusal> refusals = {};
};

/// The catalogue. Read-only after construction; thread-safe.
class LayerRegistry {
 public:
  static const LayerRegistry& instance();

  void add(LayerEntry entry);
  /// Another name under which configs may ask for a class.
  void add_alias(std::string alias, std::string class_name);
  const std::map<std::string, LayerEntry>& entries() const { return entries_; }
  /// For a class name or an alias; empty when the catalogue does not have it. What set_layer_catalogue is given.
  static LayerFactory find(const std::string& class_name);

 private:
  std::map<std::string, LayerEntry> entries_;
  std::map<std::string, std::string> aliases_;
};

namespace detail {

// Lets core read configs. Here, since every layer's file includes this one.
inline const bool catalogue_is_known = (set_layer_catalogue(&LayerRegistry::find), true);

}  // namespace detail
}  // namespace strata
