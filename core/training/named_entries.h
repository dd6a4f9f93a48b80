// SPDX-License-Identifier: Apache-2.0
// Internal to training: what is given by the names of a model's inputs or outputs.
#pragma once

#include <string>
#include <vector>

namespace strata {

/// Throws ConfigError with Keras' text when one of `names` is not among the `known` ones: a misspelt name would leave
/// an output without what it was to get. `what` is "loss" in "Unknown entries in loss dictionary".
void require_known_entries(const std::string& what, const std::vector<std::string>& names,
                           const std::vector<std::string>& known);

}  // namespace strata
