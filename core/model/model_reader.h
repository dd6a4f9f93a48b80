// SPDX-License-Identifier: Apache-2.0
// Internal: models from their configs, in the forms of tf.keras 2 and Keras 3.
#pragma once

#include "core/base/error.h"
#include "core/model/sequential.h"

namespace strata {

// Each throws ConfigError saying what does not fit, "Unknown layer: X" for a class that nobody knows.

/// That error, which also says how a class is made known.
ConfigError unknown_layer(const std::string& class_name);

/// From {"name", "layers", "input_layers", "output_layers"}.
LayerRef read_functional(const Config& config);
/// From {"name", "layers"}, or the bare list that old Keras wrote.
LayerRef read_sequential(const Config& config);
/// From {"batch_input_shape" or "batch_shape", "dtype", "name"}: the layer. Its tensor is get_output_at(0), for as long
/// as someone holds it.
LayerRef read_input_layer(const Config& config);
Tensor read_input(const Config& config);

}  // namespace strata
