// SPDX-License-Identifier: Apache-2.0
#include "io/loaders/loaders.h"
#include "tests/fuzz/fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // The first byte chooses the format.
  if (size == 0) return 0;
  return strata::testing::fuzz_file(data + 1, size - 1, [kind = data[0] % 3](const std::string& path) {
    return kind == 0 ? strata::loaders::cifar10({path}) : strata::loaders::cifar100({path}, kind == 1);
  });
}
