// SPDX-License-Identifier: Apache-2.0
#include "io/jpeg.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/io/expect_io_error.h"
#include "tests/support/expect_error.h"
#include "tests/support/files.h"
#include "tests/support/golden_values.h"

namespace strata {
namespace {

using testing::Bytes;
using testing::expect_error_with;
using testing::expect_io_error;

TEST(Jpeg, DamagedFilesAreErrors) {
  const testing::TemporaryDirectory directory;
  const std::string picture = std::string(STRATA_GOLDEN_DIR) + "/loaders/pictures/cats/B.jpg";
  const std::string path = directory.path("a.jpg"), whole = testing::read_text(picture);
  EXPECT_EQ(read_jpeg(picture).shape(), (Shape{16, 24, 3}));
  EXPECT_EQ(read_jpeg(picture, 1).shape(), (Shape{16, 24, 1}));
  for (std::size_t size = 0; size + 2 < whole.size(); size += 17) {  // the last two bytes mark the end
    testing::write_file(path, {whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
    EXPECT_THROW(read_jpeg(path), IoError) << size;
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(~damaged[at]);
    testing::write_file(path, {damaged.begin(), damaged.end()});
    try {
      read_jpeg(path);
    } catch (const IoError&) {
    }
  }
  testing::write_file(path, {'n', 'o'});
  expect_io_error([&] { read_jpeg(path); }, path, "expected a JPEG file");
  expect_error_with<ConfigError>([&] { read_jpeg(path, 2); }, "expected 0, 1 or 3 channels");
  std::string huge = whole;  // the picture's height in its frame header
  const std::size_t frame = huge.find("\xFF\xC0");
  ASSERT_NE(frame, std::string::npos);
  for (const std::size_t i : {5, 7}) huge[frame + i] = '\x7F';
  testing::write_file(path, {huge.begin(), huge.end()});
  expect_io_error([&] { read_jpeg(path); }, path, "more than");
}

TEST(Jpeg, CmykBecomesTensorFlowsColours) {
  const nlohmann::json expected = testing::read_golden("loaders/cmyk.json");
  for (const std::string name : {"cmyk_adobe", "cmyk_plain"}) {
    const std::string path = std::string(STRATA_GOLDEN_DIR) + "/loaders/" + name + ".jpg";
    const Tensor picture = read_jpeg(path);
    EXPECT_EQ(picture.shape(), (Shape{10, 14, 3}));
    EXPECT_EQ(picture.to_vector<std::uint8_t>(), expected.at(name).at("pixels").get<Bytes>()) << name;
    expect_io_error([&] { read_jpeg(path, 1); }, path, "received CMYK");
  }
}

void append(Bytes& bytes, const Bytes& more) { bytes.insert(bytes.end(), more.begin(), more.end()); }

/// A grey progressive picture of 8 x 8 pixels, which says of its higher frequencies so many times that there are none.
Bytes progressive_jpeg(int scans) {
  Bytes bytes{0xFF, 0xD8, 0xFF, 0xDB, 0, 0x43, 0};
  append(bytes, Bytes(64, 1));                                       // quantisation
  append(bytes, {0xFF, 0xC2, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0});  // frame
  for (const unsigned char table : {0x00, 0x10}) {                   // one code of one bit each
    append(bytes, {0xFF, 0xC4, 0, 20, table, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  }
  append(bytes, {0xFF, 0xDA, 0, 8, 1, 1, 0x00, 0, 0, 0, 0x7F});
  for (int i = 0; i < scans; ++i) append(bytes, {0xFF, 0xDA, 0, 8, 1, 1, 0x00, 1, 63, 0, 0x7F});
  append(bytes, {0xFF, 0xD9});
  return bytes;
}

TEST(Jpeg, OfManyScansIsAnError) {
  const Pixels picture = decode_jpeg(progressive_jpeg(9), "a.jpg");
  EXPECT_EQ(picture.shape, (Shape{8, 8, 1}));
  EXPECT_EQ(picture.values, std::vector<unsigned char>(64, 128));
  expect_io_error([] { decode_jpeg(progressive_jpeg(200), "a.jpg"); }, "a.jpg", "it has more than 100 scans");
}

}  // namespace
}  // namespace strata
