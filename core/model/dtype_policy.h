// SPDX-License-Identifier: Apache-2.0
// DtypePolicy: the types that a layer computes with and keeps its weights in.
#pragma once

#include <optional>
#include <string>

#include "core/base/config.h"
#include "core/base/dtype.h"

namespace strata {

/// A value type. Made from a dtype, which then serves for both, or from a Keras policy name.
class DtypePolicy {
 public:
  DtypePolicy(Dtype dtype) : compute_(dtype), variable_(dtype) {}    // NOLINT(google-explicit-constructor)
  DtypePolicy(const char* name) : DtypePolicy(std::string(name)) {}  // NOLINT(google-explicit-constructor)
  /// Throws ConfigError for an unknown name.
  DtypePolicy(const std::string& name) : DtypePolicy(dtype_from_string(name)) {}  // NOLINT(google-explicit-constructor)

  /// Of the layer's arithmetic and outputs: floating inputs are cast to it.
  Dtype compute_dtype() const { return compute_; }
  Dtype variable_dtype() const { return variable_; }
  /// "float32".
  std::string name() const { return std::string(to_string(compute_)); }
  Config config() const { return name(); }
  /// Reads a name, or what Keras serialises: {"class_name": "DTypePolicy", "config": {"name": "float32"}}; null =
  /// empty.
  static std::optional<DtypePolicy> from_config(const Config& config) {
    if (config.is_null()) return {};
    return DtypePolicy(config.is_object() ? config.at("config").at("name").as_string() : config.as_string());
  }

 private:
  Dtype compute_;
  Dtype variable_;
};

}  // namespace strata
