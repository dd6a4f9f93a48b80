// SPDX-License-Identifier: Apache-2.0
// The table that Keras' model.summary() prints, in the format of TF 2.0.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/model/functional.h"

namespace strata {

/// The arguments of Keras' summary().
struct SummaryOptions {
  int line_length = 0;  // in characters; 0 = 65, or 98 with a column for connections
  std::vector<double> positions =
      {};  // where columns end: parts of line_length, or characters when the last is above 1
  std::function<void(const std::string&)> print_fn = {};  // is given one line after the other; empty = standard output
  bool expand_nested = false;                             // shows the layers of models within the model, in frames
  bool show_trainable = false;                            // one more column, Y or N; lines get 11 characters longer
  std::vector<std::string> layer_range = {};              // the first and the last layer: names or regular expressions
};

/// The lines of the table, without '\n'. Throws ConfigError when the model is not built or the options do not fit.
std::vector<std::string> summary_lines(const Functional& model, const SummaryOptions& options = {});
/// The same as one text; every line ends with '\n'.
std::string summary_text(const Functional& model, const SummaryOptions& options = {});

}  // namespace strata
