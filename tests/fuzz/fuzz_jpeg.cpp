// SPDX-License-Identifier: Apache-2.0
#include "io/jpeg.h"
#include "tests/fuzz/fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // The first byte chooses the channels.
  if (size == 0) return 0;
  constexpr strata::Dim kChannels[] = {0, 1, 3};
  return strata::testing::expect_typed_errors([&] {
    strata::decode_jpeg({data + 1, data + size}, "a.jpg", kChannels[data[0] % 3]);
  });
}
