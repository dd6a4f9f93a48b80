// SPDX-License-Identifier: Apache-2.0
// Where the weights of layers lie in Keras 3's files of weights: at the names of the attributes that hold them there.
#pragma once

#include <string>
#include <vector>

#include "core/model/layer.h"

namespace strata {

/// What an attribute of a layer holds in Keras: a layer within it, or weights of its own that Keras has in a layer.
struct StoredPart {
  std::string path = {};  // from the layer on: "cell", "cells/lstm_cell_1"
  LayerRef layer = {};
  std::string name = {};               // without a layer: that of Keras' layer
  std::vector<Variable> weights = {};  // likewise: its weights, trainable ones first
};

/// For layers to derive from beside Layer. A layer that does not keeps the layers it tracks at the names of their
/// classes, "dense", "dense_1", which is where Keras has them when its attributes have those names.
class HasStoredParts {
 public:
  virtual ~HasStoredParts() = default;
  /// Once built, in Python's order of the attributes, those that begin with "_" last. The other weights are the layer's
  /// own.
  virtual std::vector<StoredPart> stored_parts() const = 0;
};

/// The layers of a list or dictionary that is an attribute; "" = each an attribute of its own. Named after their
/// classes, with numbers where one repeats: "layers/dense", "layers/dense_1".
std::vector<StoredPart> stored_list(const std::string& attribute, const std::vector<LayerRef>& layers);

/// A layer, or what stands for one.
struct StoredGroup {
  std::string path = {};  // "" = the outermost layer
  std::string name = {};
  std::vector<Variable> weights = {};  // without those of the groups within it
};

/// The groups of a layer and of all within it, in Keras' order. One that lies in several places is at the first.
std::vector<StoredGroup> stored_groups(const LayerRef& layer);

}  // namespace strata
