// SPDX-License-Identifier: Apache-2.0
// Internal: the name of the layer that a config describes, for factories that do not look at it.
#pragma once

#include <string>

namespace strata {

/// Until the end of the scope, the first layer of a class that this thread makes without a name gets this one.
class AutomaticNameScope {
 public:
  /// An empty name changes nothing.
  AutomaticNameScope(const std::string& class_name, std::string name);
  ~AutomaticNameScope();
  AutomaticNameScope(const AutomaticNameScope&) = delete;
  AutomaticNameScope& operator=(const AutomaticNameScope&) = delete;

  /// The name for a layer of this class, once; empty when there is none.
  static std::string take(const std::string& class_name);

 private:
  std::string class_name_;
  std::string name_;
  AutomaticNameScope* outer_;
};

}  // namespace strata
