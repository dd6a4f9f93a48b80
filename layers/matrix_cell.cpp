// SPDX-License-Identifier: Apache-2.0
#include "layers/matrix_cell.h"

#include "core/base/error.h"

namespace strata {

MatrixCell::MatrixCell(KernelCellArguments arguments, Dim gates, const LayerOptions& layer)
    : KernelCell(std::move(arguments), gates, layer) {
  if (units() >= 1) return;
  throw ConfigError("Received an invalid value for argument `units`, expected a positive integer, got " +
                    std::to_string(units()) + ".");
}

Dim MatrixCell::checked_features(const Shape& input) {
  if (input.back() == None) {
    throw ShapeError("The last dimension of the inputs to `" + class_name() +
                     "` should be defined. Found `None`. Full input shape received: " + input.str() +
                     " (layer: " + name() + ")");
  }
  set_input_spec({{.axes = {{-1, input.back()}}}, {}});
  return input.back();
}

}  // namespace strata
