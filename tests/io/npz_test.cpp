// SPDX-License-Identifier: Apache-2.0
// Arrays in .npz files, read whole and as samples.
#include "io/npz.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/ops/ops.h"
#include "io/loaders/loaders.h"
#include "tests/io/expect_io_error.h"
#include "tests/io/loaded_samples.h"
#include "tests/support/expect_error.h"
#include "tests/support/files.h"
#include "tests/support/golden_values.h"

namespace strata {
namespace {

using testing::elements_of;
using testing::expect_error_with;
using testing::expect_io_error;

std::string golden(const std::string& name) { return std::string(STRATA_GOLDEN_DIR) + "/loaders/" + name; }

TEST(NpzLoader, ArraysOfAnArchivePlainOrPacked) {
  const auto expected = testing::read_golden("loaders/expected.json");
  for (const std::string name : {"plain.npz", "packed.npz"}) {
    const Dataset data = loaders::npz(golden(name), {.x = {"images"}, .y = {"labels"}});
    EXPECT_EQ(elements_of<std::uint8_t>(data, 0), expected.at("images").get<std::vector<std::uint8_t>>()) << name;
    EXPECT_EQ(elements_of<std::int32_t>(data, 1), expected.at("labels").get<std::vector<std::int32_t>>()) << name;
    EXPECT_EQ(loaders::npz(golden(name), {.x = {"images"}, .named = true}).source()->specs().x[0].name, "images");
    expect_io_error([&] { loaders::npz(golden(name), {.x = {"sounds"}}); }, golden(name),
                    "expected an array \"sounds\"");
  }
  const auto plain = loaders::npz(golden("plain.npz"), {.x = {"images"}}).source();
  elements_of<std::uint8_t>(*plain, 0, {5, 7});
  EXPECT_EQ(plain->bytes_read(), 2 * 6);
  expect_error_with<ConfigError>([] { loaders::npz(golden("plain.npz"), {}); }, "at least one array x");
}

TEST(NpzLoader, DamagedArchivesAreErrors) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory.path("a.npz");
  for (const std::string name : {"plain.npz", "packed.npz"}) {
    const std::string whole = testing::read_text(golden(name));
    int refused = 0;
    for (std::size_t at = 0; at < whole.size(); ++at) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
      testing::write_file(path, {damaged.begin(), damaged.end()});
      try {
        read_npz(path);
        find_in_npz(path, {"images", "labels"});
      } catch (const IoError&) {
        ++refused;  // other bytes, such as those of dates, do not matter
      }
    }
    EXPECT_GT(refused, static_cast<int>(whole.size() / 4)) << name;
    // The last 22 bytes say where the list of arrays is; minizip needs only the first of them.
    for (std::size_t size = 0; size + 22 < whole.size(); size += 13) {
      const std::string cut = whole.substr(0, size);
      testing::write_file(path, {cut.begin(), cut.end()});
      EXPECT_THROW(read_npz(path), IoError) << size;
    }
  }
}

/// Where the entry of the last array in the list at the end of a file begins.
std::size_t last_entry(const std::string& archive) { return archive.rfind("PK\x01\x02"); }

TEST(NpzLoader, AListThatIsDamagedHasNotEnded) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory.path("a.npz");
  write_npz(path, {{"a", constant<float>({1}, {1})}, {"b", constant<float>({2}, {1})}});
  std::string text = testing::read_text(path);
  text[last_entry(text)] = 'Q';
  testing::write_file(path, {text.begin(), text.end()});
  expect_io_error([&] { read_npz(path); }, path, "its list of arrays is damaged at the 2. of them");
  expect_io_error([&] { loaders::npz(path, {.x = {"a"}}); }, path, "its list of arrays is damaged");
}

TEST(NpzLoader, ArraysThatNobodyAskedForMayBeOfAnyKind) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory.path("a.npz");
  write_npz(path, {{"a", constant<float>({1, 2}, {2})}, {"b", constant<float>({3, 4}, {2})}});
  std::string text = testing::read_text(path);
  text.replace(text.rfind("<f4"), 3, "<c8");  // complex numbers
  testing::write_file(path, {text.begin(), text.end()});
  EXPECT_EQ(elements_of<float>(loaders::npz(path, {.x = {"a"}}), 0), (std::vector<float>{1, 2}));
  EXPECT_EQ(read_npz_array(path, "a").to_vector<float>(), (std::vector<float>{1, 2}));
  expect_io_error([&] { loaders::npz(path, {.x = {"b"}}); }, path, "array b: expected elements of type bool");
}

/// A list that names one large array many times.
TEST(NpzLoader, ArraysThatLieOverEachOtherAreErrors) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory.path("a.npz");
  write_npz(path, {{"a", ops::zeros({1000})}});
  std::string text = testing::read_text(path);
  const std::size_t list = last_entry(text), end = text.rfind("PK\x05\x06");
  const std::string entry = text.substr(list, end - list);
  std::string tail = text.substr(end);
  tail[8] = tail[10] = 3;  // entries here and in all
  const std::size_t size = 3 * entry.size();
  tail[12] = static_cast<char>(size & 0xFFU);
  tail[13] = static_cast<char>(size >> 8U);
  text = text.substr(0, list) + entry + entry + entry + tail;
  testing::write_file(path, {text.begin(), text.end()});
  expect_io_error([&] { read_npz(path); }, path, "they lie over each other");
}

TEST(NpzLoader, WritesWhatItReads) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory.path("a.npz");
  write_npz(path, {{"a", constant<float>({1, 2, 3}, {3, 1})}, {"b", constant<std::int64_t>({5}, {})}});
  const auto arrays = read_npz(path);
  EXPECT_EQ(arrays.at("a").to_vector<float>(), (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(arrays.at("a").shape(), (Shape{3, 1}));
  EXPECT_EQ(arrays.at("b").shape(), (Shape{}));
  expect_io_error([&] { loaders::npz(path, {.x = {"b"}}); }, path, "received a single number");
}

}  // namespace
}  // namespace strata
