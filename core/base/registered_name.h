// SPDX-License-Identifier: Apache-2.0
// Class names as Keras registers them: "package>Class".
#pragma once

#include <string>

namespace strata {

/// "Custom>Adam" as "Adam".
inline std::string without_package(const std::string& name) {
  const std::size_t end = name.rfind('>');
  return end == std::string::npos ? name : name.substr(end + 1);
}

}  // namespace strata
