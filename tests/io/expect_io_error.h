// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "core/base/error.h"

namespace strata::testing {

/// Expects `call` to throw an IoError about `path` whose text holds `part`.
template <class F>
void expect_io_error(F&& call, const std::string& path, const std::string& part) {
  try {
    call();
    ADD_FAILURE() << "no IoError for " << path << ": expected '" << part << "'";
  } catch (const IoError& error) {
    EXPECT_EQ(error.path(), path);
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << "received: " << error.what();
  }
}

}  // namespace strata::testing
