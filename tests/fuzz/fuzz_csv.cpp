// SPDX-License-Identifier: Apache-2.0
#include "io/loaders/loaders.h"
#include "tests/fuzz/fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // The first byte chooses the options.
  if (size == 0) return 0;
  strata::loaders::CsvOptions options;
  options.header = (data[0] & 1) != 0;
  options.named = (data[0] & 2) != 0;
  if ((data[0] & 4) != 0) options.y = {options.header ? "y" : "0"};
  if ((data[0] & 8) != 0) options.y_dtype = strata::Dtype::int64;
  if ((data[0] & 16) != 0) options.y_classes = {"a", "b"};
  if ((data[0] & 32) != 0) options.delimiter = 0x3b;  // a semicolon
  return strata::testing::fuzz_file(data + 1, size - 1,
                                    [&](const std::string& path) { return strata::loaders::csv(path, options); });
}
