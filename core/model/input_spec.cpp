// SPDX-License-Identifier: Apache-2.0
#include "core/model/input_spec.h"

#include "core/base/error.h"

namespace strata {

std::string list_text(const Shape& shape) {
  std::string text = "[";
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (axis > 0) text += ", ";
    text += shape[axis] == None ? "None" : std::to_string(shape[axis]);
  }
  return text + "]";
}

void check_input(const InputSpec& spec, const TensorSpec& input, int index, const std::string& layer) {
  const std::string incompatible =
      "Input " + std::to_string(index) + " of layer " + layer + " is incompatible with the layer: ";
  const Shape& shape = input.shape;
  const auto wrong_rank = [&](const char* expected, int rank) {
    return ShapeError(incompatible + expected + std::to_string(rank) + ", found ndim=" + std::to_string(shape.rank()) +
                      ". Full shape received: " + list_text(shape));
  };
  if (spec.rank && shape.rank() != *spec.rank) throw wrong_rank("expected ndim=", *spec.rank);
  if (spec.min_rank && shape.rank() < *spec.min_rank) throw wrong_rank(": expected min_ndim=", *spec.min_rank);
  if (spec.dtype && input.dtype != *spec.dtype) {
    throw DtypeError(incompatible + "expected dtype=" + std::string(to_string(*spec.dtype)) +
                     ", found dtype=" + std::string(to_string(input.dtype)));
  }
  for (const auto& [axis, size] : spec.axes) {
    if (!dims_fit(shape[normalize_axis(axis, shape.rank(), "input spec")], size)) {
      throw ShapeError(incompatible + "expected axis " + std::to_string(axis) + " of input shape to have value " +
                       std::to_string(size) + " but received input with shape " + list_text(shape));
    }
  }
}

}  // namespace strata
