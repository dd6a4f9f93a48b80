// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "io/npz.h"
#include "tests/io/expect_io_error.h"

namespace strata {
namespace {

TEST(WithoutALibrary, NpzFilesSayWhatIsMissing) {
  testing::expect_io_error([] { read_npz("a.npz"); }, "a.npz", "libminizip-dev");
}

}  // namespace
}  // namespace strata
