// SPDX-License-Identifier: Apache-2.0
// The examples of the registered ops as test cases, and their inputs.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/ops/registry.h"

namespace strata::testing {

struct OpCase {
  const OpEntry* entry;
  const OpExample* example;
  std::string name;  // a legal GoogleTest name
};
void PrintTo(const OpCase& op_case, std::ostream* out);

/// Every example of every registered op.
std::vector<OpCase> all_op_cases();

/// The elements of one input or output; exact for every dtype drawn here.
using Values = std::vector<double>;
/// The values of all inputs of an example: the same ones on every run.
std::vector<Values> draw_inputs(const OpExample& example);

/// Whether inputs declared as float32 are taken as they are or as another type.
enum class Width { as_declared, float64, float16, bfloat16 };
TensorSpec spec_of(const ExampleInput& input, Width width);

Tensor make_tensor(const Values& values, const TensorSpec& spec);
std::vector<Tensor> make_inputs(const OpExample& example, const std::vector<Values>& values, Width width);

/// The computed elements, wherever they lie.
std::vector<std::byte> bytes_of(const Tensor& tensor);
Values values_of(const Tensor& tensor);

}  // namespace strata::testing
