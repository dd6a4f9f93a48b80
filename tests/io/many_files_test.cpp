// SPDX-License-Identifier: Apache-2.0
// Files that are many, or large: few are open at once, and every byte is where it belongs.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "core/base/error.h"
#include "io/hdf5_file.h"
#include "io/loaders/loaders.h"
#include "io/npy_header.h"
#include "strata/strata.h"
#include "tests/io/few_files.h"
#include "tests/io/loaded_samples.h"
#include "tests/support/files.h"

namespace strata {
namespace {

using testing::elements_of;
using testing::FewFiles;
using testing::open_files;
using testing::TemporaryDirectory;

constexpr int kFiles = 300;

std::string numbered(const TemporaryDirectory& directory, int i, const std::string& suffix) {
  return directory.path(std::to_string(1000 + i) + suffix);
}

/// In any order, twice, by two threads at once.
void expect_numbers(const SampleSource& source, std::size_t array) {
  const auto read = [&](unsigned seed) {
    std::mt19937 random(seed);
    for (int i = 0; i < 2 * kFiles; ++i) {
      const auto row = static_cast<Dim>(random() % kFiles);
      ASSERT_EQ(elements_of<std::uint8_t>(source, array, {row})[0], row % 10) << row;
    }
  };
  std::thread other(read, 1);
  read(2);
  other.join();
}

TEST(ManyFiles, OfRecordsAreOpenedAsTheyAreRead) {
  const TemporaryDirectory directory;
  std::vector<std::string> paths;
  for (int i = 0; i < kFiles; ++i) {
    paths.push_back(numbered(directory, i, ".bin"));
    testing::Bytes bytes(3073, 0);
    bytes[0] = static_cast<unsigned char>(i % 10);
    testing::write_file(paths.back(), bytes);
  }
  const FewFiles limit(30);
  const Dim before = open_files();
  const auto source = loaders::cifar10(paths).source();
  expect_numbers(*source, 1);
  EXPECT_LE(open_files(), before + 16);
}

TEST(ManyFiles, OfHdf5AreOpenedAsTheyAreRead) {
  const TemporaryDirectory directory;
  std::vector<std::string> paths;
  for (int i = 0; i < kFiles; ++i) {
    paths.push_back(numbered(directory, i, ".h5"));
    Hdf5Writer writer(paths.back());
    writer.write_array("/", "x", constant<std::uint8_t>({static_cast<std::uint8_t>(i % 10)}, {1, 1}));
    writer.commit();
  }
  const FewFiles limit(30);
  const Dim before = open_files();
  const auto source = loaders::hdf5(paths, {.x = {"x"}}).source();
  expect_numbers(*source, 0);
  EXPECT_LE(open_files(), before + 16);
}

/// Records that are copied from a map of the file, and such that are read.
TEST(ManyFiles, LargeOnesHaveEveryByteWhereItBelongs) {
  for (const Dim width : {3, 900, 5000}) {
    const TemporaryDirectory directory;
    const std::string path = directory.path("a.npy");
    const Dim rows = 600'000 / width;
    std::ofstream file(path, std::ios::binary);
    file << npy_header({{rows, width}, Dtype::int32});
    for (std::int32_t i = 0; i < rows * width; ++i) file.write(reinterpret_cast<const char*>(&i), sizeof i);
    file.close();
    const auto source = loaders::npy(path).source();
    const auto read = [&](unsigned seed) {
      std::mt19937 random(seed);
      for (int round = 0; round < 50; ++round) {
        std::vector<Dim> wanted;
        for (int i = 0; i < 20; ++i) wanted.push_back(static_cast<Dim>(random() % static_cast<unsigned>(rows)));
        if (wanted[0] + 1 < rows) wanted.insert(wanted.begin() + 1, wanted[0] + 1);  // a run
        const auto values = elements_of<std::int32_t>(*source, 0, wanted);
        for (std::size_t i = 0; i < values.size(); ++i) {
          const auto at = static_cast<Dim>(i);
          ASSERT_EQ(values[i], wanted[i / static_cast<std::size_t>(width)] * width + at % width) << width;
        }
      }
    };
    std::thread other(read, 1);
    read(2);
    other.join();
  }
}

}  // namespace
}  // namespace strata
