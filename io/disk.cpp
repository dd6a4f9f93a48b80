// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <new>
#include <utility>

#include "core/base/error.h"
#include "io/file_system.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& path, const std::string& what, int error) {
  throw IoError(path, what + ": " + std::strerror(error));
}

/// A descriptor that is closed at the end of its scope.
class Descriptor {
 public:
  Descriptor(const std::string& path, int flags, const char* what) {
    do file_ = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
    while (file_ < 0 && errno == EINTR);
    if (file_ < 0) fail(path, what, errno);
  }
  ~Descriptor() {
    if (file_ >= 0) ::close(file_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return file_; }
  int release() { return std::exchange(file_, -1); }

 private:
  int file_ = -1;
};

/// Some file systems cannot synchronise directories, and say EINVAL.
void synchronize(int file, const std::string& path) {
  if (::fsync(file) != 0 && errno != EINVAL) fail(path, "cannot be written to the disk", errno);
}

/// What is written at once, at multiples of what disks want, from memory that is aligned alike.
constexpr std::size_t kBlock = std::size_t{4} << 20, kAlignment = 4096;

/// Large files go past the page cache where the file system permits it: half the work, which training wants to do
/// itself, and nothing of what it needs is driven out of memory.
class DiskFile final : public OutputFile {
 public:
  explicit DiskFile(const std::string& path)
      : path_(path), file_(path, O_WRONLY | O_CREAT | O_TRUNC, "cannot be written") {}

  void append(std::span<const std::byte> bytes) override {
    if (block_ == nullptr) block_.reset(static_cast<std::byte*>(std::aligned_alloc(kAlignment, kBlock)));
    if (block_ == nullptr) throw std::bad_alloc();
    while (!bytes.empty()) {
      const std::size_t count = std::min(bytes.size(), kBlock - used_);
      std::memcpy(block_.get() + used_, bytes.data(), count);
      used_ += count;
      bytes = bytes.subspan(count);
      if (used_ == kBlock) write_block();
    }
  }
  void synchronize() override {
    write_block();
    strata::synchronize(file_.get(), path_);
  }
  void close() override {
    write_block();
    if (::close(file_.release()) != 0 && errno != EINTR) fail(path_, "cannot be written", errno);
  }

 private:
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };

  void write_block() {
    if (used_ == 0) return;
    set_direct(used_ == kBlock && written_ % kAlignment == 0);
    for (std::size_t at = 0; at < used_;) {
      const ssize_t count = ::write(file_.get(), block_.get() + at, used_ - at);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && errno == EINVAL && std::exchange(can_be_direct_, false)) {
        set_direct(false);
        continue;
      }
      if (count < 0) fail(path_, "cannot be written", errno);
      at += static_cast<std::size_t>(count);
    }
    written_ += used_;
    used_ = 0;
  }

  void set_direct(bool direct) {
    if (direct == direct_ || (direct && !can_be_direct_)) return;
    const int flags = ::fcntl(file_.get(), F_GETFL);
    const int wanted = direct ? flags | O_DIRECT : flags & ~O_DIRECT;
    if (flags < 0 || ::fcntl(file_.get(), F_SETFL, wanted) != 0) can_be_direct_ = false;
    else direct_ = direct;
  }

  std::string path_;
  Descriptor file_;
  std::unique_ptr<std::byte, Free> block_;
  std::size_t used_ = 0;       // of the block
  std::uint64_t written_ = 0;  // bytes before it
  bool direct_ = false, can_be_direct_ = true;
};

class Disk final : public FileSystem {
 public:
  std::unique_ptr<OutputFile> create(const std::string& path) override { return std::make_unique<DiskFile>(path); }

  std::uint64_t size(const std::string& path) override {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) fail(path, "cannot be read", errno);
    return static_cast<std::uint64_t>(status.st_size);
  }

  void read(const std::string& path, std::uint64_t offset, std::span<std::byte> to) override {
    const Descriptor file(path, O_RDONLY, "cannot be read");
    while (!to.empty()) {
      const ssize_t got = ::pread(file.get(), to.data(), to.size(), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) fail(path, "cannot be read", errno);
      if (got == 0) throw IoError(path, "ends before byte " + std::to_string(offset + to.size()));
      offset += static_cast<std::uint64_t>(got);
      to = to.subspan(static_cast<std::size_t>(got));
    }
  }

  bool exists(const std::string& path) override {
    std::error_code failed;
    const bool there = fs::exists(path, failed);  // what is merely not there is no failure
    if (failed) throw IoError(path, "cannot be looked at: " + failed.message());
    return there;
  }

  std::vector<std::string> list(const std::string& directory) override {
    std::error_code failed;
    std::vector<std::string> names;
    fs::directory_iterator entry(directory, failed);
    if (failed == std::errc::no_such_file_or_directory) return {};
    for (; !failed && entry != fs::directory_iterator(); entry.increment(failed)) {
      names.push_back(entry->path().filename());
    }
    if (failed) throw IoError(directory, "cannot be listed: " + failed.message());
    std::sort(names.begin(), names.end());
    return names;
  }

  void make_directory(const std::string& path) override {
    std::error_code failed;
    fs::create_directories(path, failed);
    if (failed) throw IoError(path, "the directory cannot be made: " + failed.message());
  }

  void synchronize_directory(const std::string& path) override {
    const Descriptor directory(path.empty() ? "." : path, O_RDONLY | O_DIRECTORY, "the directory cannot be opened");
    strata::synchronize(directory.get(), path);
  }

  void rename(const std::string& from, const std::string& to) override {
    if (std::rename(from.c_str(), to.c_str()) != 0) fail(from, "cannot be renamed to " + to, errno);
  }

  void remove(const std::string& path) override {
    if (std::remove(path.c_str()) != 0 && errno != ENOENT) fail(path, "cannot be removed", errno);
  }
};

}  // namespace

FileSystem& disk() {
  static Disk machine;
  return machine;
}

}  // namespace strata
