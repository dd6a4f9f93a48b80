// SPDX-License-Identifier: Apache-2.0
#include "io/idx.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <random>

#include "tests/io/expect_io_error.h"
#include "tests/support/files.h"

namespace strata {
namespace {

using testing::Bytes;
using testing::expect_io_error;
using testing::gzip;
using testing::idx;
using testing::ramp;
using testing::TemporaryDirectory;
using testing::write_file;

class Idx : public ::testing::Test {
 protected:
  Tensor read(const Bytes& bytes) const {
    write_file(path_, bytes);
    return read_idx(path_);
  }
  void expect_error(const Bytes& bytes, const std::string& part) const {
    write_file(path_, bytes);
    expect_io_error([&] { read_idx(path_); }, path_, part);
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_.path("file");
};

TEST_F(Idx, ReadsBytesPlainAndGzip) {
  const Bytes data = ramp(2 * 3 * 4, 256);
  for (const Bytes& file : {idx(8, {2, 3, 4}, data), gzip(idx(8, {2, 3, 4}, data))}) {
    const Tensor tensor = read(file);
    EXPECT_EQ(tensor.spec(), (TensorSpec{{2, 3, 4}, Dtype::uint8}));
    EXPECT_EQ(tensor.to_vector<std::uint8_t>(), data);
  }
}

TEST_F(Idx, ReadsBigEndianNumbers) {
  EXPECT_EQ(read(idx(0x0C, {2}, {0, 0, 1, 2, 0xFF, 0xFF, 0xFF, 0xFE})).to_vector<std::int32_t>(),
            (std::vector<std::int32_t>{258, -2}));
  EXPECT_EQ(read(idx(0x0D, {1}, {0x3F, 0xC0, 0, 0})).to_vector<float>(), std::vector<float>{1.5f});
  EXPECT_EQ(read(idx(0x0E, {1, 1}, {0xC0, 0x04, 0, 0, 0, 0, 0, 0})).to_vector<double>(), std::vector<double>{-2.5});
}

TEST_F(Idx, ReadsScalarsAndEmptyArrays) {
  EXPECT_EQ(read(idx(8, {}, {7})).item<std::uint8_t>(), 7);
  EXPECT_EQ(read(idx(8, {0, 28}, {})).shape(), (Shape{0, 28}));
}

TEST_F(Idx, ReadsAFileOfManyPieces) {
  const Bytes data = ramp(5'000'011, 251);
  const Bytes plain = idx(8, {5'000'011}, data);
  EXPECT_EQ(read(plain).to_vector<std::uint8_t>(), data);
  EXPECT_EQ(read(gzip(plain)).to_vector<std::uint8_t>(), data);
}

TEST_F(Idx, ReadsGzipOfSeveralMembers) {
  const Bytes file = idx(8, {6}, ramp(6, 256));
  Bytes packed = gzip(Bytes(file.begin(), file.begin() + 5));
  const Bytes second = gzip(Bytes(file.begin() + 5, file.end()));
  packed.insert(packed.end(), second.begin(), second.end());
  EXPECT_EQ(read(packed).to_vector<std::uint8_t>(), ramp(6, 256));
}

TEST_F(Idx, SaysWhatIsWrong) {
  expect_io_error([&] { read_idx(path_); }, path_, "No such file");
  expect_io_error([&] { read_idx(directory_.path()); }, directory_.path(), "expected a file, received a directory");
  expect_error({}, "expected an IDX header, received 0 bytes");
  expect_error({0, 0, 8}, "received 3 bytes");
  expect_error({1, 2, 3, 4, 5}, "received 0x01020304");
  expect_error(idx(9, {1}, {1}), "received 0x09");
  expect_error({0, 0, 8, 2, 0, 0}, "the IDX header is cut short: expected 8 bytes, received 2");
  expect_error(idx(8, {2, 2}, {1, 2, 3}), "the data of shape (2, 2) is cut short: expected 4 bytes, received 3");
  expect_error(idx(8, {2, 2}, {1, 2, 3, 4, 5}), "expected 4 bytes of data for shape (2, 2), received more");
}

TEST_F(Idx, SaysWhatIsWrongInGzip) {
  const Bytes good = gzip(idx(8, {3}, {1, 2, 3}));
  Bytes cut(good.begin(), good.end() - 1);
  expect_error(cut, "the gzip data is cut short");
  Bytes garbage = good;
  garbage.push_back('x');
  expect_error(garbage, "expected the end of the file after the gzip data");
  Bytes checksum = good;
  checksum[checksum.size() - 8] ^= 1;
  expect_error(checksum, "the gzip data is damaged: incorrect data check");
  expect_error(gzip(idx(8, {3}, {1, 2})), "is cut short: expected 3 bytes, received 2");
}

TEST_F(Idx, HugeDimensionsDoNotAllocate) {
  constexpr std::uint32_t most = 0xFFFFFFFF;
  expect_error(idx(8, {most, most, most}, ramp(100, 10)), "exceeds any file");
  expect_error(idx(8, {most, most, 0, most}, {}), "exceeds any file");
  // Sizes that a machine would really hand out.
  expect_error(idx(8, {most}, ramp(100, 10)), "expected 4294967295 bytes, received 100");
  expect_error(gzip(idx(8, {1u << 31}, ramp(100, 10))), "expected 2147483648 bytes, received 100");
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  EXPECT_LT(usage.ru_maxrss, 1'500'000) << "KiB";
}

// Any result is right but a crash, a hang or another exception.
void read_anything(const std::string& path) {
  try {
    const Tensor tensor = read_idx(path);
    EXPECT_EQ(static_cast<Dim>(tensor.spec().bytes()), tensor.shape().elements() * Dim(size_of(tensor.dtype())));
  } catch (const IoError& error) {
    EXPECT_EQ(error.path(), path);
  }
}

TEST_F(Idx, EveryTruncationIsAnError) {
  const Bytes plain = idx(8, {3, 5, 7}, ramp(105, 251));
  for (const Bytes& whole : {plain, gzip(plain)}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      write_file(path_, Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
      EXPECT_THROW(read_idx(path_), IoError) << size << " of " << whole.size() << " bytes";
    }
  }
}

TEST_F(Idx, DamagedBytesNeverCrash) {
  const Bytes plain = idx(8, {3, 5, 7}, ramp(105, 251));
  std::mt19937 random(1);
  for (const Bytes& whole : {plain, gzip(plain)}) {
    for (int round = 0; round < 2000; ++round) {
      Bytes damaged = whole;
      const std::size_t flips = 1 + random() % 4;
      for (std::size_t i = 0; i < flips; ++i) {
        const std::size_t span = round % 2 == 0 ? damaged.size() : 16;  // every other round hits the header alone
        damaged[random() % span] ^= static_cast<unsigned char>(1 + random() % 255);
      }
      write_file(path_, damaged);
      read_anything(path_);
    }
  }
}

}  // namespace
}  // namespace strata
