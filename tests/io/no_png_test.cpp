// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "io/png.h"
#include "tests/io/expect_io_error.h"

namespace strata {
namespace {

TEST(WithoutALibrary, PngFilesSayWhatIsMissing) {
  testing::expect_io_error([] { read_png("a.png"); }, "a.png", "libpng-dev");
}

}  // namespace
}  // namespace strata
