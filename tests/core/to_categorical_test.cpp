// SPDX-License-Identifier: Apache-2.0
#include "core/training/to_categorical.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/expect_error.h"

namespace strata {
namespace {

using testing::expect_error_with;

TEST(ToCategorical, PutsAOneAtTheLabel) {
  const Tensor expected = to_categorical(constant<std::uint8_t>({2, 0}, {2, 1}), 4);
  EXPECT_EQ(expected.spec(), (TensorSpec{{2, 4}, Dtype::float32}));
  EXPECT_EQ(expected.to_vector<float>(), (std::vector<float>{0, 0, 1, 0, 1, 0, 0, 0}));
  EXPECT_EQ(to_categorical(constant<float>({2, 0}, {2})).to_vector<float>(), (std::vector<float>{0, 0, 1, 1, 0, 0}));
}

TEST(ToCategorical, SaysWhatDoesNotFit) {
  expect_error_with<ConfigError>(
      [] {
        to_categorical(constant<std::int32_t>({0, 3}, {2}), 3);
      },
      "expected labels from 0 to 2, received 3 at row 1");
  expect_error_with<ConfigError>([] { to_categorical(constant<std::int32_t>({-1}, {1})); }, "received -1 at row 0");
  expect_error_with<ShapeError>([] { to_categorical(constant<std::int32_t>({0, 1}, {1, 2})); }, "received (1, 2)");
}

}  // namespace
}  // namespace strata
