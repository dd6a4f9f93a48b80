// SPDX-License-Identifier: Apache-2.0
// HDF5 files made up so that reading them would take all memory.
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "io/hdf5_file.h"
#include "io/loaders/loaders.h"
#include "tests/io/loaded_samples.h"
#include "tests/support/expect_error.h"
#include "tests/support/files.h"

namespace strata {
namespace {

/// An HDF5 file, the numbers of whose rows are replaced.
std::string with_rows(const testing::TemporaryDirectory& directory, const std::string& name, std::uint64_t rows) {
  std::string text = testing::read_text(std::string(STRATA_GOLDEN_DIR) + "/loaders/" + name);
  const auto as_stored = [](std::uint64_t number) { return std::string(reinterpret_cast<const char*>(&number), 8); };
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(as_stored(37), at)) != std::string::npos; ++found) {
    text.replace(at, 8, as_stored(rows));
  }
  EXPECT_GE(found, 3U) << "one an array";
  const std::string path = directory.path(std::to_string(rows) + name);
  testing::write_file(path, {text.begin(), text.end()});
  return path;
}

TEST(Hdf5Sizes, AbsurdOnesAreErrors) {
  const testing::TemporaryDirectory directory;
  for (const std::uint64_t rows : {std::uint64_t{1} << 33, std::uint64_t{1} << 45, std::uint64_t{1} << 62,
                                   std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    const std::string path = with_rows(directory, "contiguous.h5", rows);
    EXPECT_THROW(Hdf5Reader(path).array("train", "images"), IoError) << rows;
    EXPECT_THROW(testing::elements_of<std::uint8_t>(*loaders::hdf5({path}, {.x = {"train/images"}}).source(), 0,
                                                    {static_cast<Dim>(rows / 2)}),
                 IoError)
        << rows;
  }
}

/// Chunks that were never written take no room in a file: nothing in it says how many there may be.
TEST(Hdf5Sizes, PackedArraysHaveToFitIntoMemory) {
  const testing::TemporaryDirectory directory;
  for (const char* name : {"chunked.h5", "packed.h5"}) {
    const std::string path = with_rows(directory, name, std::uint64_t{1} << 45);
    testing::expect_error_with<IoError>([&] { Hdf5Reader(path).array("train", "images"); },
                                        "the array train/images does not fit into memory");
  }
}

}  // namespace
}  // namespace strata
