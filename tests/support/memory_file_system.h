// SPDX-License-Identifier: Apache-2.0
// File systems for tests: one in memory that remembers what was done in which order, so that the disk can be shown as a
// crash would leave it; and one whose operations fail.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "io/file_system.h"

namespace strata::testing {

/// Thread-safe.
class MemoryFileSystem final : public FileSystem {
 public:
  MemoryFileSystem() = default;
  /// With what another holds; it has its own log.
  MemoryFileSystem(const MemoryFileSystem& other) : files_(other.files_), directories_(other.directories_) {}
  MemoryFileSystem& operator=(const MemoryFileSystem&) = delete;

  std::unique_ptr<OutputFile> create(const std::string& path) override;
  std::uint64_t size(const std::string& path) override;
  void read(const std::string& path, std::uint64_t offset, std::span<std::byte> to) override;
  bool exists(const std::string& path) override;
  std::vector<std::string> list(const std::string& directory) override;
  void make_directory(const std::string& path) override;
  void synchronize_directory(const std::string& path) override;
  void rename(const std::string& from, const std::string& to) override;
  void remove(const std::string& path) override;

  /// How many operations that change something there were.
  std::size_t operations() const { return log_.size(); }
  /// What a crash after the first `count` operations may leave. What was synchronised by then is there; of the rest
  /// `happens` says of each whether it reached the disk, and of content that did not how much: see crashed_content.
  std::unique_ptr<MemoryFileSystem> after_crash(std::size_t count, const std::function<bool()>& happens) const;
  /// From now on directories (or files) are not synchronised, whoever asks for it: a defect to be found.
  void ignore_directory_synchronization() { ignores_directories_ = true; }
  void ignore_file_synchronization() { ignores_files_ = true; }

  /// All files, by path.
  std::map<std::string, std::string> contents() const;
  void set_content(const std::string& path, const std::string& content);

 private:
  struct Content {
    std::string bytes;
  };
  using File = std::shared_ptr<Content>;
  struct Operation {
    enum Kind { create, append, synchronize, make_directory, synchronize_directory, rename, remove } kind;
    std::string path, to = {};  // `to` of a rename; of an append the bytes
    File file = {};             // whose content or name it is about
  };
  class Output;
  void note(Operation operation) { log_.push_back(std::move(operation)); }
  bool is_durable(std::size_t operation, std::size_t count) const;

  mutable std::mutex mutex_;
  std::map<std::string, File> files_;
  std::set<std::string> directories_;
  std::vector<Operation> log_;
  bool ignores_directories_ = false, ignores_files_ = false;
};

/// One operation of another file system fails: the one after `countdown` others. Thread-safe, if that is.
class FaultyFileSystem final : public FileSystem {
 public:
  enum class Fault {
    error,  // nothing happens; an IoError
    torn,   // of what is written, or read, only a part; an IoError
    crash,  // as torn, and nothing works any more
  };
  FaultyFileSystem(FileSystem& files, Fault fault, std::size_t countdown)
      : files_(files), fault_(fault), countdown_(countdown) {}

  std::unique_ptr<OutputFile> create(const std::string& path) override;
  std::uint64_t size(const std::string& path) override;
  void read(const std::string& path, std::uint64_t offset, std::span<std::byte> to) override;
  bool exists(const std::string& path) override { return files_.exists(path); }
  std::vector<std::string> list(const std::string& directory) override;
  void make_directory(const std::string& path) override;
  void synchronize_directory(const std::string& path) override;
  void rename(const std::string& from, const std::string& to) override;
  void remove(const std::string& path) override;

  bool happened() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return happened_;
  }

 private:
  class Output;
  /// Whether this operation is the one. Throws when it is and nothing of it happens.
  bool strikes(const std::string& path, bool can_be_torn);
  [[noreturn]] void fail(const std::string& path) const;

  FileSystem& files_;
  Fault fault_;
  mutable std::mutex mutex_;
  std::size_t countdown_;
  bool happened_ = false;
};

}  // namespace strata::testing
