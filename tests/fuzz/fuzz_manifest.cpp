// SPDX-License-Identifier: Apache-2.0
#include <span>

#include "io/checkpoint/checksum.h"
#include "io/checkpoint/manifest.h"
#include "tests/fuzz/fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  // Under a right checksum, which nothing made up by chance has; what is behind the seal must be read with equal care.
  const std::string sealed = text + ", \"xxh3\": \"" + strata::checksum(std::as_bytes(std::span(text))) + "\"}\n";
  for (const std::string& manifest : {text, sealed}) {
    strata::testing::expect_typed_errors([&] { strata::read_manifest("manifest.json", manifest); });
  }
  return 0;
}
