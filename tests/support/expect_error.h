// SPDX-License-Identifier: Apache-2.0
// Errors and their texts.
#pragma once

#include <gtest/gtest.h>

#include <string>

namespace strata::testing {

/// Expects that `f()` throws an `E` whose what() is `text`.
template <class E, class F>
void expect_error(const F& f, const std::string& text) {
  try {
    f();
    ADD_FAILURE() << "expected the error: " << text;
  } catch (const E& error) {
    EXPECT_EQ(std::string(error.what()), text);
  }
}

}  // namespace strata::testing
