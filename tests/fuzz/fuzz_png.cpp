// SPDX-License-Identifier: Apache-2.0
#include "io/png.h"
#include "tests/fuzz/fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // The first byte chooses the channels.
  if (size == 0) return 0;
  constexpr strata::Dim kChannels[] = {0, 1, 3, 4};
  return strata::testing::expect_typed_errors([&] {
    strata::decode_png({data + 1, data + size}, "a.png", kChannels[data[0] % 4]);
  });
}
