// SPDX-License-Identifier: Apache-2.0
// What a layer demands of its inputs, with Keras' error texts.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/tensor/tensor.h"

namespace strata {

/// What a layer demands of one input; checked before every call.
struct InputSpec {
  std::optional<int> rank = {};
  std::optional<int> min_rank = {};
  std::map<int, Dim> axes = {};  // axis (may be negative) -> required size
  std::optional<Dtype> dtype = {};
};

/// Throws ShapeError or DtypeError unless input `index` of layer `layer` looks as `spec` says.
void check_input(const InputSpec& spec, const TensorSpec& input, int index, const std::string& layer);

/// "[None, 784]": a shape as TF prints it in errors.
std::string list_text(const Shape& shape);

}  // namespace strata
