// SPDX-License-Identifier: Apache-2.0
// Pictures of models: Keras' model_to_dot and plot_model.
#pragma once

#include <string>

#include "core/model/functional.h"
#include "core/training/model.h"

namespace strata {

struct PlotOptions {
  bool show_shapes = false;
  bool show_dtype = false;
  bool show_layer_names = true;
  std::string rankdir = "TB";  // where the outputs lie: "TB" below the inputs, "LR" to their right, "BT", "RL"
  bool expand_nested = false;  // models within the model as dashed boxes that show their layers
  int dpi = 96;
};

/// The graph of a model in Graphviz' language, as TF 2.0's Keras draws it: a box for each layer, an arrow for each
/// tensor that goes from one layer to another, none twice. Unknown dimensions are "?". A box is named after its layer,
/// within models after the path to it: "encoder/dense". A subclassed model is one box, for its function is no graph.
/// Throws ConfigError for a model that is not built, and for options that Graphviz would not know.
std::string model_to_dot(const Functional& model, const PlotOptions& options = {});

/// Writes the picture into a file, on rank 0; other ranks do nothing. A path that ends with .dot gets the text of
/// model_to_dot; .png, .svg and .pdf are drawn by Graphviz' program `dot`, which is given a minute. Throws ConfigError
/// for another ending, and as model_to_dot does; IoError when `dot` is missing or fails, or the file cannot be written.
void plot_model(const Functional& model, const std::string& path, const PlotOptions& options = {});
void plot_model(const Model& model, const std::string& path, const PlotOptions& options = {});

}  // namespace strata
