// SPDX-License-Identifier: Apache-2.0
#include "io/loaders/loaders.h"
#include "io/npz.h"
#include "tests/fuzz/fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace strata::testing;
  return fuzz_path(data, size, [](const std::string& path) {
    expect_typed_errors([&] { strata::read_npz(path); });
    read_samples(strata::loaders::npz(path, {.x = {"x"}}));
  });
}
