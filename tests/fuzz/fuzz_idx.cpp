// SPDX-License-Identifier: Apache-2.0
#include "io/loaders/loaders.h"
#include "tests/fuzz/fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return strata::testing::fuzz_file(data, size, [](const std::string& path) { return strata::loaders::idx(path); });
}
