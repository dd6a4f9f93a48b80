// SPDX-License-Identifier: Apache-2.0
// The machine's own file system, as checkpoints use it.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "io/file_system.h"
#include "tests/io/expect_io_error.h"
#include "tests/support/files.h"

namespace strata {
namespace {

std::string text_of(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(i * 31 % 251 + i / 65536);
  return text;
}

/// Writes `text` in parts of so many bytes, synchronised after every fifth.
void write_in_parts(const std::string& path, const std::string& text, std::size_t part) {
  const auto file = disk().create(path);
  for (std::size_t at = 0, parts = 1; at < text.size(); at += part, ++parts) {
    const std::size_t count = std::min(part, text.size() - at);
    file->append(std::as_bytes(std::span(text)).subspan(at, count));
    if (parts % 5 == 0) file->synchronize();
  }
  file->synchronize();
  file->close();
}

/// Of files that go past the page cache, where that is possible: a disk and memory.
TEST(Disk, HasWhatWasWrittenInPartsOfAnySize) {
  const testing::TemporaryDirectory directory;
  std::vector<std::string> paths{directory.path("file")};
  if (std::filesystem::exists("/dev/shm"))
    paths.push_back("/dev/shm/" + std::filesystem::path(directory.path()).parent_path().filename().string() + ".file");
  for (const std::string& path : paths) {
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{100}, std::size_t{4} << 20, (std::size_t{21} << 20) + 7}) {
      for (const std::size_t part : {std::size_t{1} << 20, std::size_t{999'983}, std::size_t{9} << 20}) {
        const std::string text = text_of(size);
        write_in_parts(path, text, part);
        EXPECT_TRUE(testing::read_text(path) == text) << path << ", " << size << " bytes in parts of " << part;
        EXPECT_EQ(disk().size(path), size);
      }
    }
    std::filesystem::remove(path);
  }
}

TEST(Disk, SaysThatItIsFull) {
  const std::string text = text_of(std::size_t{5} << 20);
  const auto file = disk().create("/dev/full");
  testing::expect_io_error(
      [&] {
        file->append(std::as_bytes(std::span(text)));
        file->synchronize();
      },
      "/dev/full", "cannot be written: No space left on device");
}

TEST(Disk, AFileThatIsNotThereIsNamed) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory.path("none/file");
  testing::expect_io_error([&] { disk().create(path); }, path, "cannot be written: No such file or directory");
  testing::expect_io_error([&] { disk().size(path); }, path, "cannot be read: No such file or directory");
}

}  // namespace
}  // namespace strata
