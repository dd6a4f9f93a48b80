// SPDX-License-Identifier: Apache-2.0
#include "io/input_file.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "core/base/error.h"

namespace strata {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 18;
constexpr std::size_t kFirstAllocation = std::size_t{1} << 20;
constexpr int kGzipWindow = 15 + 16;  // the largest window; 16 asks zlib for a gzip header and its checksum

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

/// The bytes as they lie on disk, in pieces.
class RawFile {
 public:
  explicit RawFile(std::string path)
      : path_(std::move(path)), piece_(std::make_unique_for_overwrite<unsigned char[]>(kPiece)) {
    std::error_code ignored;
    if (std::filesystem::is_directory(path_, ignored)) fail("expected a file, received a directory");
    file_.reset(std::fopen(path_.c_str(), "rb"));
    if (file_ == nullptr) fail(fmt::format("cannot be opened: {}", std::strerror(errno)));
    refill();
  }

  [[noreturn]] void fail(const std::string& what) const { throw IoError(path_, what); }
  const std::string& path() const { return path_; }

  unsigned char* begin() { return piece_.get() + at_; }
  std::size_t available() const { return end_ - at_; }
  void skip(std::size_t bytes) { at_ += bytes; }
  bool starts_gzip() const { return available() >= 2 && piece_[at_] == 0x1f && piece_[at_ + 1] == 0x8b; }

  /// Keeps what has not been used and reads more behind it; false at the end of the file.
  bool refill() {
    std::memmove(piece_.get(), begin(), available());
    end_ = available();
    at_ = 0;
    const std::size_t got = std::fread(piece_.get() + end_, 1, kPiece - end_, file_.get());
    if (std::ferror(file_.get()) != 0) fail(fmt::format("cannot be read: {}", std::strerror(errno)));
    end_ += got;
    return got > 0;
  }

 private:
  std::string path_;
  std::unique_ptr<unsigned char[]> piece_;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  std::unique_ptr<std::FILE, FileCloser> file_;
};

/// Unpacks the gzip members of a RawFile. zlib's own gzread passes over garbage behind the last member; this does not.
class Inflater {
 public:
  Inflater() {
    if (inflateInit2(&z_, kGzipWindow) != Z_OK) throw InternalError("zlib cannot be initialised");
  }
  ~Inflater() { inflateEnd(&z_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  std::size_t read(RawFile& raw, unsigned char* to, std::size_t size) {
    std::size_t done = 0;
    while (done < size && !finished_) done += step(raw, to + done, std::min(size - done, kPiece));
    return done;
  }

 private:
  std::size_t step(RawFile& raw, unsigned char* to, std::size_t size) {
    if (raw.available() == 0 && !raw.refill()) raw.fail("the gzip data is cut short");
    z_.next_in = raw.begin();
    z_.avail_in = static_cast<unsigned>(raw.available());
    z_.next_out = to;
    z_.avail_out = static_cast<unsigned>(size);
    const int status = inflate(&z_, Z_NO_FLUSH);
    raw.skip(raw.available() - z_.avail_in);
    if (status == Z_STREAM_END) next_member(raw);
    else if (status != Z_OK && status != Z_BUF_ERROR) {
      raw.fail(fmt::format("the gzip data is damaged: {}", z_.msg == nullptr ? "unknown cause" : z_.msg));
    }
    return size - z_.avail_out;
  }

  void next_member(RawFile& raw) {
    if (raw.available() < 2) raw.refill();
    finished_ = raw.available() == 0;
    if (finished_) return;
    if (!raw.starts_gzip()) raw.fail("expected the end of the file after the gzip data, received more bytes");
    inflateReset(&z_);
  }

  z_stream z_{};
  bool finished_ = false;
};

}  // namespace

struct InputFile::Stream {
  explicit Stream(std::string path) : raw(std::move(path)) {
    if (raw.starts_gzip()) inflater = std::make_unique<Inflater>();
  }

  std::size_t read(unsigned char* to, std::size_t size) {
    if (inflater != nullptr) return inflater->read(raw, to, size);
    std::size_t done = 0;
    while (done < size && (raw.available() > 0 || raw.refill())) {
      const std::size_t bytes = std::min(size - done, raw.available());
      std::memcpy(to + done, raw.begin(), bytes);
      raw.skip(bytes);
      done += bytes;
    }
    return done;
  }

  RawFile raw;
  std::unique_ptr<Inflater> inflater;
};

InputFile::InputFile(std::string path) : stream_(std::make_unique<Stream>(std::move(path))) {}
InputFile::~InputFile() = default;
InputFile::InputFile(InputFile&&) noexcept = default;
InputFile& InputFile::operator=(InputFile&&) noexcept = default;

const std::string& InputFile::path() const { return stream_->raw.path(); }

bool InputFile::is_packed() const { return stream_->inflater != nullptr; }

std::size_t InputFile::read(void* to, std::size_t size) { return stream_->read(static_cast<unsigned char*>(to), size); }

std::vector<std::byte> InputFile::read_exactly(std::size_t size, const std::string& what) {
  std::vector<std::byte> bytes;
  while (bytes.size() < size) {
    const std::size_t have = bytes.size();
    bytes.resize(std::min(size, std::max(kFirstAllocation, 2 * have)));
    const std::size_t got = read(bytes.data() + have, bytes.size() - have);
    if (have + got < bytes.size()) {
      stream_->raw.fail(fmt::format("{} is cut short: expected {} bytes, received {}", what, size, have + got));
    }
  }
  return bytes;
}

std::vector<unsigned char> InputFile::read_rest() {
  std::vector<unsigned char> bytes;
  std::size_t got = 0, wanted = 0;
  do {
    const std::size_t have = bytes.size();
    wanted = std::clamp(have, kPiece / 16, kPiece);
    bytes.resize(have + wanted);
    got = read(bytes.data() + have, wanted);
    bytes.resize(have + got);
  } while (got == wanted);
  return bytes;
}

}  // namespace strata
