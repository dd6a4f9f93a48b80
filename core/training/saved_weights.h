// SPDX-License-Identifier: Apache-2.0
// Internal: the weights of a model as files have them, layer by layer.
#pragma once

#include "core/model/functional.h"
#include "core/training/model_file.h"

namespace strata {

/// Which weights of a file go into a model.
struct WeightMatching {
  bool by_name = false;        // layers of equal names, instead of all layers in order
  bool skip_mismatch = false;  // leaves out what does not fit, instead of refusing the file
};

/// In the order of the dialect that is current.
std::vector<SavedLayer> saved_layers(const Functional& model);

/// Sets the weights of the model. Throws IoError naming the file, the layer and the weight that do not fit, before
/// anything is changed.
void load_layers(const Functional& model, const std::vector<SavedLayer>& saved, const WeightMatching& matching,
                 const std::string& path);

/// Those of `model`, the handle itself, for a file in Keras 3's own layout.
std::vector<SavedGroup> saved_groups(const LayerRef& model);

/// Sets the weights of `model`. Throws IoError naming the file and the group that does not fit, unless `skip_mismatch`,
/// before anything is changed.
void load_groups(const LayerRef& model, const std::vector<SavedGroup>& saved, bool skip_mismatch,
                 const std::string& path);

}  // namespace strata
