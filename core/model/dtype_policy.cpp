// SPDX-License-Identifier: Apache-2.0
#include "core/model/dtype_policy.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/base/error.h"

namespace strata {
namespace {

const std::string kMixed = "mixed_";

// "Policy" is the class of TF 2.
constexpr std::array<std::string_view, 3> kClasses = {"DTypePolicy", "FloatDTypePolicy", "Policy"};

Dtype compute_dtype_of(const std::string& policy) {
  try {
    const bool mixed = policy.starts_with(kMixed);
    const Dtype dtype = dtype_from_string(mixed ? policy.substr(kMixed.size()) : policy);
    if (!mixed || is_half(dtype)) return dtype;
  } catch (const ConfigError&) {  // as is a mixed policy of another dtype
  }
  throw ConfigError("Cannot convert '" + policy +
                    "' to a mixed precision DTypePolicy. Valid policies include 'mixed_float16', 'mixed_bfloat16', and "
                    "the name of any float dtype such as 'float32'.");
}

}  // namespace

DtypePolicy::DtypePolicy(const std::string& name)
    : compute_(compute_dtype_of(name)), variable_(name.starts_with(kMixed) ? Dtype::float32 : compute_) {}

std::string DtypePolicy::name() const {
  return (compute_ == variable_ ? "" : kMixed) + std::string(to_string(compute_));
}

std::optional<DtypePolicy> DtypePolicy::from_config(const Config& config) {
  if (config.is_null()) return {};
  if (!config.is_object()) return DtypePolicy(config.as_string());
  const std::string& class_name = config.at("class_name").as_string();
  if (std::find(kClasses.begin(), kClasses.end(), class_name) == kClasses.end()) {
    throw ConfigError("Unknown dtype policy: expected the class DTypePolicy, received " + config.to_json());
  }
  return DtypePolicy(config.at("config").at("name").as_string());
}

}  // namespace strata
