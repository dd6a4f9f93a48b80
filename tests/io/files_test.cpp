// SPDX-License-Identifier: Apache-2.0
#include "tests/support/files.h"

#include <gtest/gtest.h>

namespace strata::testing {
namespace {

TEST(Files, TemporaryDirectoryIsRemoved) {
  std::string path;
  {
    const TemporaryDirectory directory;
    path = directory.path();
    write_file(directory.path("a"), {1, 2});
    EXPECT_EQ(std::filesystem::file_size(directory.path("a")), 2u);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace strata::testing
