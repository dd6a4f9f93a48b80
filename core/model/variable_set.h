// SPDX-License-Identifier: Apache-2.0
// Sets and maps of variables.
#pragma once

#include <functional>
#include <unordered_set>

#include "core/tensor/variable.h"

namespace strata {

/// Equal for handles that mean the same variable.
struct VariableHash {
  std::size_t operator()(const Variable& variable) const {
    return std::hash<const void*>()(&variable.spec());  // held by the variable itself
  }
};

using VariableSet = std::unordered_set<Variable, VariableHash>;

}  // namespace strata
