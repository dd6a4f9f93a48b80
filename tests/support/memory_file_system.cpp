// SPDX-License-Identifier: Apache-2.0
#include "tests/support/memory_file_system.h"

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "core/base/error.h"

namespace strata::testing {
namespace {

std::string parent_of(const std::string& path) { return std::filesystem::path(path).parent_path(); }

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

class MemoryFileSystem::Output final : public OutputFile {
 public:
  Output(MemoryFileSystem& files, std::string path, File file)
      : files_(files), path_(std::move(path)), file_(std::move(file)) {}
  void append(std::span<const std::byte> bytes) override {
    const std::lock_guard<std::mutex> lock(files_.mutex_);
    file_->bytes += text_of(bytes);
    files_.note({Operation::append, path_, text_of(bytes), file_});
  }
  void synchronize() override {
    const std::lock_guard<std::mutex> lock(files_.mutex_);
    if (!files_.ignores_files_) files_.note({Operation::synchronize, path_, {}, file_});
  }
  void close() override {}

 private:
  MemoryFileSystem& files_;
  std::string path_;
  File file_;
};

std::unique_ptr<OutputFile> MemoryFileSystem::create(const std::string& path) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::string parent = parent_of(path);
  if (!parent.empty() && !directories_.contains(parent)) throw IoError(path, "no such directory");
  const File file = files_[path] = std::make_shared<Content>();
  note({Operation::create, path, {}, file});
  return std::make_unique<Output>(*this, path, file);
}

std::uint64_t MemoryFileSystem::size(const std::string& path) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = files_.find(path);
  if (found == files_.end()) throw IoError(path, "no such file");
  return found->second->bytes.size();
}

void MemoryFileSystem::read(const std::string& path, std::uint64_t offset, std::span<std::byte> to) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = files_.find(path);
  if (found == files_.end()) throw IoError(path, "no such file");
  const std::string& bytes = found->second->bytes;
  if (offset + to.size() > bytes.size()) throw IoError(path, "ends too early");
  std::memcpy(to.data(), bytes.data() + offset, to.size());
}

bool MemoryFileSystem::exists(const std::string& path) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return files_.contains(path) || directories_.contains(path);
}

std::vector<std::string> MemoryFileSystem::list(const std::string& directory) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<std::string> names;
  const auto add = [&](const std::string& path) {
    if (parent_of(path) == directory) names.push_back(std::filesystem::path(path).filename());
  };
  for (const auto& [path, file] : files_) add(path);
  for (const std::string& path : directories_) add(path);
  std::sort(names.begin(), names.end());
  return names;
}

void MemoryFileSystem::make_directory(const std::string& path) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (std::string part = path; !part.empty() && directories_.insert(part).second; part = parent_of(part)) {
    note({Operation::make_directory, part});
  }
}

void MemoryFileSystem::synchronize_directory(const std::string& path) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!ignores_directories_) note({Operation::synchronize_directory, path == "." ? "" : path});
}

void MemoryFileSystem::rename(const std::string& from, const std::string& to) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = files_.find(from);
  if (found != files_.end()) {
    note({Operation::rename, from, to, found->second});
    files_[to] = found->second;
    files_.erase(from);
    return;
  }
  if (directories_.erase(from) == 0) throw IoError(from, "no such file");
  directories_.insert(to);
  std::map<std::string, File> moved;
  for (const auto& [path, file] : files_) moved[parent_of(path) == from ? to + path.substr(from.size()) : path] = file;
  files_ = moved;
}

void MemoryFileSystem::remove(const std::string& path) {
  if (!list(path).empty()) throw IoError(path, "the directory is not empty");
  const std::lock_guard<std::mutex> lock(mutex_);
  files_.erase(path);
  directories_.erase(path);
  note({Operation::remove, path});
}

/// Whether a crash after `count` operations leaves what this one did.
bool MemoryFileSystem::is_durable(std::size_t operation, std::size_t count) const {
  const Operation& done = log_[operation];
  for (std::size_t i = operation + 1; i < count; ++i) {
    if (done.kind == Operation::append) {
      if (log_[i].kind == Operation::synchronize && log_[i].file == done.file) return true;
    } else if (log_[i].kind == Operation::synchronize_directory && log_[i].path == parent_of(done.path)) {
      return true;
    }
  }
  return false;
}

std::unique_ptr<MemoryFileSystem> MemoryFileSystem::after_crash(std::size_t count,
                                                                const std::function<bool()>& happens) const {
  auto disk = std::make_unique<MemoryFileSystem>();
  std::map<File, File> copies;
  const auto copy_of = [&](const File& file) {
    File& copy = copies[file];
    if (!copy) copy = std::make_shared<Content>();
    return copy;
  };
  for (std::size_t i = 0; i < count; ++i) {
    const Operation& done = log_[i];
    const bool reached = is_durable(i, count) || happens();
    if (done.kind == Operation::append) {
      // Blocks that did not reach the disk are zeros, or the file is shorter.
      if (reached) copy_of(done.file)->bytes += done.to;
      else if (happens()) copy_of(done.file)->bytes += std::string(done.to.size(), '\0');
      continue;
    }
    if (!reached) continue;
    switch (done.kind) {
      case Operation::create: disk->files_[done.path] = copy_of(done.file); break;
      case Operation::make_directory: disk->directories_.insert(done.path); break;
      case Operation::rename:
        if (disk->files_.contains(done.path) && disk->files_[done.path] == copy_of(done.file)) {
          disk->files_.erase(done.path);
        }
        disk->files_[done.to] = copy_of(done.file);
        break;
      case Operation::remove:
        disk->files_.erase(done.path);
        disk->directories_.erase(done.path);
        break;
      default: break;
    }
  }
  // Names in directories that are not there lead nowhere.
  std::erase_if(disk->files_, [&](const auto& file) { return !disk->directories_.contains(parent_of(file.first)); });
  return disk;
}

std::map<std::string, std::string> MemoryFileSystem::contents() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::map<std::string, std::string> all;
  for (const auto& [path, file] : files_) all[path] = file->bytes;
  return all;
}

void MemoryFileSystem::set_content(const std::string& path, const std::string& content) {
  const std::lock_guard<std::mutex> lock(mutex_);
  files_.at(path)->bytes = content;
}

class FaultyFileSystem::Output final : public OutputFile {
 public:
  Output(FaultyFileSystem& files, std::string path, std::unique_ptr<OutputFile> file)
      : files_(files), path_(std::move(path)), file_(std::move(file)) {}
  void append(std::span<const std::byte> bytes) override {
    if (!files_.strikes(path_, true)) return file_->append(bytes);
    file_->append(bytes.first(bytes.size() / 2));
    files_.fail(path_);
  }
  void synchronize() override {
    files_.strikes(path_, false);
    file_->synchronize();
  }
  void close() override {
    files_.strikes(path_, false);
    file_->close();
  }

 private:
  FaultyFileSystem& files_;
  std::string path_;
  std::unique_ptr<OutputFile> file_;
};

bool FaultyFileSystem::strikes(const std::string& path, bool can_be_torn) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (happened_ && fault_ == Fault::crash) fail(path);
  if (happened_ || countdown_-- > 0) return false;
  happened_ = true;
  if (fault_ == Fault::error || !can_be_torn) fail(path);
  return true;
}

void FaultyFileSystem::fail(const std::string& path) const {
  throw IoError(path, "cannot be used: " + std::string(std::strerror(fault_ == Fault::torn ? ENOSPC : EIO)));
}

std::unique_ptr<OutputFile> FaultyFileSystem::create(const std::string& path) {
  strikes(path, false);
  return std::make_unique<Output>(*this, path, files_.create(path));
}
std::uint64_t FaultyFileSystem::size(const std::string& path) {
  strikes(path, false);
  return files_.size(path);
}
void FaultyFileSystem::read(const std::string& path, std::uint64_t offset, std::span<std::byte> to) {
  if (!strikes(path, true)) return files_.read(path, offset, to);
  files_.read(path, offset, to.first(to.size() / 2));
  fail(path);
}
std::vector<std::string> FaultyFileSystem::list(const std::string& directory) {
  strikes(directory, false);
  return files_.list(directory);
}
void FaultyFileSystem::make_directory(const std::string& path) {
  strikes(path, false);
  files_.make_directory(path);
}
void FaultyFileSystem::synchronize_directory(const std::string& path) {
  strikes(path, false);
  files_.synchronize_directory(path);
}
void FaultyFileSystem::rename(const std::string& from, const std::string& to) {
  strikes(from, false);
  files_.rename(from, to);
}
void FaultyFileSystem::remove(const std::string& path) {
  strikes(path, false);
  files_.remove(path);
}

}  // namespace strata::testing
