// SPDX-License-Identifier: Apache-2.0
// Internal: what the register_ functions of single kinds have in common.
#pragma once

#include <string>

#include "core/model/custom_objects.h"

namespace strata {

/// register_custom_object for classes of one kind, "layer" in register_layer. Throws ConfigError in the name of that
/// function: without a class name or a function, and when the class is one of Keras' or known already.
void register_class(const std::string& kind, const std::string& class_name, bool is_builtin, const CustomObject& make);

}  // namespace strata
