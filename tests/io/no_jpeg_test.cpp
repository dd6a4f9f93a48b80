// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "io/jpeg.h"
#include "tests/io/expect_io_error.h"

namespace strata {
namespace {

TEST(WithoutALibrary, JpegFilesSayWhatIsMissing) {
  testing::expect_io_error([] { read_jpeg("a.jpg"); }, "a.jpg", "libjpeg-dev");
}

}  // namespace
}  // namespace strata
