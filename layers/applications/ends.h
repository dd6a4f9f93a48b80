// SPDX-License-Identifier: Apache-2.0
// How all applications begin and end: their input, what comes behind the last features, and the weights of a file.
#pragma once

#include "layers/applications/applications.h"

namespace strata::applications {

/// The model's input. Throws ConfigError, as Keras says it, for shapes that the model does not take.
Tensor image_input(const ApplicationOptions& options);
/// Throws ConfigError for a `pooling` that is not known, for weights that are no file, and for an activation that does
/// not go with them. Called first: making a model takes time.
void check_options(const ApplicationOptions& options);
/// The pooling that the options ask for behind the last features, under these names ("" = automatic ones).
Tensor pooled(const Tensor& features, const ApplicationOptions& options, const std::string& average_name = "",
              const std::string& max_name = "");
/// The layer "predictions".
Tensor predictions(const Tensor& x, const ApplicationOptions& options);
/// The model, with the weights of the file.
Model finished(const Tensor& input, const Tensor& output, const ApplicationOptions& options, const std::string& name);

}  // namespace strata::applications
