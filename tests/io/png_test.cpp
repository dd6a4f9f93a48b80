// SPDX-License-Identifier: Apache-2.0
// PNG files: of every kind, damaged, written and read again.
#include "io/png.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "tests/io/expect_io_error.h"
#include "tests/support/expect_error.h"
#include "tests/support/files.h"
#include "tests/support/golden_values.h"

namespace strata {
namespace {

using nlohmann::json;
using testing::Bytes;
using testing::expect_error_with;
using testing::expect_io_error;
using testing::ramp;
using testing::write_file;

Bytes from_hex(const std::string& hex) {
  Bytes bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<unsigned char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

Bytes bytes_of(const Tensor& tensor) { return tensor.to_vector<std::uint8_t>(); }

Tensor picture(const Shape& shape) { return constant(ramp(static_cast<std::size_t>(shape.elements()), 251), shape); }

class Png : public ::testing::Test {
 protected:
  const json& golden(const std::string& name) const {
    static const json all = testing::read_golden("pictures.json");
    return *std::find_if(all.begin(), all.end(), [&](const json& c) { return c.at("name") == name; });
  }
  Tensor read(const Bytes& bytes, Dim channels = 0) const {
    write_file(path_, bytes);
    return read_png(path_, channels);
  }
  void expect_error(const Bytes& bytes, const std::string& part) const {
    expect_io_error([&] { read(bytes); }, path_, part);
  }

  testing::TemporaryDirectory directory_;
  std::string path_ = directory_.path("picture.png");
};

TEST_F(Png, ReadsEveryKind) {
  for (const json& expected : testing::read_golden("pictures.json")) {
    SCOPED_TRACE(expected.at("name"));
    const Tensor pixels = read(from_hex(expected.at("file")));
    EXPECT_EQ(pixels.spec(), (TensorSpec{Shape(expected.at("shape").get<std::vector<Dim>>()), Dtype::uint8}));
    EXPECT_EQ(bytes_of(pixels), from_hex(expected.at("pixels")));
  }
}

TEST_F(Png, GivesTheChannelsThatAreAskedFor) {
  for (const json& expected : testing::read_golden("pictures.json")) {
    SCOPED_TRACE(expected.at("name"));
    const Bytes file = from_hex(expected.at("file")), pixels = from_hex(expected.at("pixels"));
    const auto channels = expected.at("shape")[2].get<std::size_t>();
    const Bytes three = bytes_of(read(file, 3)), four = bytes_of(read(file, 4));
    ASSERT_EQ(three.size(), 3 * 7 * 9u);
    ASSERT_EQ(four.size(), 4 * 7 * 9u);
    for (std::size_t i = 0; i < 7 * 9; ++i) {
      const unsigned char* pixel = &pixels[i * channels];
      for (std::size_t c = 0; c < 3; ++c) {
        EXPECT_EQ(three[3 * i + c], pixel[channels < 3 ? 0 : c]);
        EXPECT_EQ(four[4 * i + c], three[3 * i + c]);
      }
      EXPECT_EQ(four[4 * i + 3], channels % 2 == 0 ? pixel[channels - 1] : 255);
    }
  }
  expect_error_with<ConfigError>([&] { read_png(path_, 2); }, "expected 0, 1, 3 or 4 channels, received 2");
}

TEST_F(Png, ReadsWhatItWrote) {
  for (const Dim channels : {1, 2, 3, 4}) {
    const Tensor written = picture({31, 57, channels});
    write_png(path_, written);
    const Tensor read = read_png(path_);
    EXPECT_EQ(read.spec(), written.spec());
    EXPECT_EQ(bytes_of(read), bytes_of(written));
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_.path()), {}), 1);  // and leaves nothing else
}

TEST_F(Png, RefusesWhatIsNoPicture) {
  const auto write = [&](const Tensor& tensor) { write_png(path_, tensor); };
  expect_error_with<DtypeError>([&] { write(ops::zeros({4, 4, 3})); }, "expected uint8, received float32 (4, 4, 3)");
  const std::string expected = "expected (height, width, channels) with 1 to 4 channels, received uint8 ";
  for (const Shape& shape : {Shape{4, 4}, Shape{4, 4, 5}, Shape{0, 4, 3}, Shape{4, 4, 0}, Shape{1, 4, 4, 3}}) {
    expect_error_with<ShapeError>([&] { write(picture(shape)); }, expected + shape.str());
  }
  expect_error_with<ShapeError>([&] { write(picture({1, 1000001, 1})); }, "at most 1000000 pixels in a row");
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(Png, NamesTheFileThatCannotBeWritten) {
  const std::string path = directory_.path("nowhere/picture.png");
  expect_io_error([&] { write_png(path, picture({2, 2, 3})); }, path, "cannot be written: No such file or directory");
  std::filesystem::create_directory(path_);
  expect_io_error([&] { write_png(path_, picture({2, 2, 3})); }, path_, "cannot be written: ");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_.path()), {}), 1);
}

TEST_F(Png, NamesTheFileThatIsNone) {
  expect_io_error([&] { read_png(path_); }, path_, "cannot be opened: No such file or directory");
  expect_error({}, "expected a PNG file, which begins with 89504e470d0a1a0a, received an empty file");
  expect_error({'G', 'I', 'F', '8'}, "received 47494638");
  const std::string directory = directory_.path();
  expect_io_error([&] { read_png(directory); }, directory, "expected a file, received a directory");
}

TEST_F(Png, EveryTruncationIsAnError) {
  const Bytes whole = from_hex(golden("colours8").at("file"));
  for (std::size_t size = 8; size < whole.size(); ++size) {
    expect_error(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)),
                 "the PNG data is damaged: the file is cut short");
  }
}

TEST_F(Png, EveryDamagedByteOfTheDataIsAnError) {
  const Bytes whole = from_hex(golden("colours8").at("file"));
  for (std::size_t at = 8; at < whole.size() - 12; ++at) {  // behind the signature, before the last chunk
    Bytes damaged = whole;
    damaged[at] ^= 0x10;
    write_file(path_, damaged);
    EXPECT_THROW(read_png(path_), IoError) << "byte " << at;
  }
}

// Any result is right but a crash, a hang or another exception.
TEST_F(Png, DamagedFilesNeverCrash) {
  std::mt19937 random(1);
  for (const json& expected : testing::read_golden("pictures.json")) {
    const Bytes whole = from_hex(expected.at("file"));
    for (int round = 0; round < 100; ++round) {
      Bytes damaged = whole;
      for (std::size_t i = 0; i < 1 + random() % 4; ++i) damaged[random() % whole.size()] ^= 1U << random() % 8;
      try {
        read(damaged);
      } catch (const IoError& error) {
        EXPECT_EQ(error.path(), path_);
      }
    }
  }
}

TEST_F(Png, HugeHeadersDoNotAllocate) {
  Bytes file = from_hex(golden("grey8").at("file"));
  // 1000000 x 1000000, and the checksum of that header.
  const Bytes header = from_hex("000f4240000f42400800000000");
  std::copy(header.begin(), header.end(), file.begin() + 16);
  const Bytes checksum = from_hex("790667a1");
  std::copy(checksum.begin(), checksum.end(), file.begin() + 29);
  expect_error(file, "the header says 1000000 x 1000000 pixels, more than ");
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  EXPECT_LT(usage.ru_maxrss, 1'500'000) << "KiB";
}

}  // namespace
}  // namespace strata
