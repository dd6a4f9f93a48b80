// SPDX-License-Identifier: Apache-2.0
#include "core/model/automatic_name.h"

#include <utility>

#include "core/base/registered_name.h"

namespace strata {
namespace {

thread_local AutomaticNameScope* innermost_scope = nullptr;

}  // namespace

AutomaticNameScope::AutomaticNameScope(const std::string& class_name, std::string name)
    : class_name_(without_package(class_name)), name_(std::move(name)), outer_(innermost_scope) {
  innermost_scope = this;
}

AutomaticNameScope::~AutomaticNameScope() { innermost_scope = outer_; }

// Only the innermost counts: what a factory makes of other configs on its way is not what the outer one asks for.
std::string AutomaticNameScope::take(const std::string& class_name) {
  const bool meant = innermost_scope != nullptr && innermost_scope->class_name_ == without_package(class_name);
  return meant ? std::exchange(innermost_scope->name_, {}) : std::string();
}

}  // namespace strata
