// SPDX-License-Identifier: Apache-2.0
// DtypePolicy: the types that a layer computes with and keeps its weights in.
#pragma once

#include <optional>
#include <string>

#include "core/base/config.h"
#include "core/base/dtype.h"

namespace strata {

/// A value type. Made from a dtype, which then serves for both, or from a Keras policy name: that of a dtype, or
/// "mixed_float16" or "mixed_bfloat16", which compute in 16 bits on float32 weights.
class DtypePolicy {
 public:
  DtypePolicy(Dtype dtype) : compute_(dtype), variable_(dtype) {}    // NOLINT(google-explicit-constructor)
  DtypePolicy(const char* name) : DtypePolicy(std::string(name)) {}  // NOLINT(google-explicit-constructor)
  /// Throws ConfigError for an unknown name, with Keras' text.
  DtypePolicy(const std::string& name);  // NOLINT(google-explicit-constructor)

  /// Of the layer's arithmetic and outputs: floating inputs and weights are cast to it.
  Dtype compute_dtype() const { return compute_; }
  Dtype variable_dtype() const { return variable_; }
  /// "float32", "mixed_bfloat16".
  std::string name() const;
  Config config() const { return name(); }
  /// Reads a name, or what Keras serialises: {"class_name": "DTypePolicy", "config": {"name": "mixed_bfloat16"}}; null
  /// = empty. Throws ConfigError for policies of other classes, such as quantized ones.
  static std::optional<DtypePolicy> from_config(const Config& config);

  friend bool operator==(const DtypePolicy&, const DtypePolicy&) = default;

 private:
  Dtype compute_;
  Dtype variable_;
};

}  // namespace strata
