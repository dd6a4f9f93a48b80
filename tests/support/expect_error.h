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

/// The same for a text that `part` is a part of.
template <class E, class F>
void expect_error_with(const F& f, const std::string& part) {
  try {
    f();
    ADD_FAILURE() << "expected an error with: " << part;
  } catch (const E& error) {
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

}  // namespace strata::testing
