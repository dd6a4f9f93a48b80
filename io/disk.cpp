// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
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

class DiskFile final : public OutputFile {
 public:
  explicit DiskFile(const std::string& path)
      : path_(path), file_(path, O_WRONLY | O_CREAT | O_TRUNC, "cannot be written") {}

  void append(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail(path_, "cannot be written", errno);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }
  void synchronize() override { strata::synchronize(file_.get(), path_); }
  void close() override {
    if (::close(file_.release()) != 0 && errno != EINTR) fail(path_, "cannot be written", errno);
  }

 private:
  std::string path_;
  Descriptor file_;
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
