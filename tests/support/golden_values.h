// SPDX-License-Identifier: Apache-2.0
// Tensors from the JSON files of tests/golden, which real Keras wrote.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/ops/ops.h"
#include "tests/support/golden_text.h"

namespace strata::testing {

inline nlohmann::json read_golden(const std::string& name) { return nlohmann::json::parse(golden_text(name)); }

/// A tensor from {"shape", "dtype", "values"}; numbers only.
inline Tensor golden_tensor(const nlohmann::json& array) {
  const Shape shape(array.at("shape").get<std::vector<Dim>>());
  const auto dtype = dtype_from_string(array.at("dtype").get<std::string>());
  return ops::cast(constant(array.at("values").get<std::vector<double>>(), shape), dtype);
}

/// What a config says, to compare one of Keras' with one of ours: without modules and what is null, a dtype policy by
/// its name, arrays as lists, numbers as float32, which Keras keeps some of them in.
inline nlohmann::json keras_config(const nlohmann::json& value) {
  if (value.is_number()) return value.get<float>();
  if (value.is_array()) {
    nlohmann::json list = nlohmann::json::array();
    for (const auto& item : value) list.push_back(keras_config(item));
    return list;
  }
  if (!value.is_object()) return value;
  if (value.value("class_name", "") == "DTypePolicy") return value.at("config").at("name");
  if (value.value("class_name", "") == "__numpy__") return keras_config(value.at("config").at("value"));
  nlohmann::json object = nlohmann::json::object();
  for (const auto& [key, item] : value.items()) {
    const bool about_python = key == "module" || key == "registered_name" || key == "build_config";
    if (!about_python && !item.is_null()) object[key] = keras_config(item);
  }
  return object;
}

/// Same shape, and every element within rtol * |expected| + atol.
inline void expect_close(const Tensor& actual, const Tensor& expected, double rtol, double atol) {
  ASSERT_EQ(actual.shape().str(), expected.shape().str());
  const auto a = ops::cast(actual, Dtype::float64).to_vector<double>();
  const auto e = ops::cast(expected, Dtype::float64).to_vector<double>();
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_NEAR(a[i], e[i], rtol * std::abs(e[i]) + atol) << "element " << i;
  }
}

}  // namespace strata::testing
