// SPDX-License-Identifier: Apache-2.0
#include "io/loaders/record_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "core/base/error.h"

namespace strata::loaders {
namespace {

class RecordSource final : public SampleSource {
 public:
  RecordSource(const std::vector<RecordRange>& ranges, const TensorSpec& row,
               std::function<void(std::byte*, Dim)> decode)
      : files_(ranges, row.bytes()), decode_(std::move(decode)) {
    specs_.x.push_back({row, ""});
  }
  Dim rows() const override { return files_.records(); }
  const SampleSpecs& specs() const override { return specs_; }
  std::string name() const override { return files_.path(); }
  std::int64_t bytes_read() const override { return files_.bytes_read(); }
  void read(std::span<const SampleRef> samples, std::span<std::byte* const> to) const override {
    if (to[0] == nullptr) return;
    files_.read(samples, to[0]);
    if (decode_) decode_(to[0], static_cast<Dim>(samples.size()));
  }

 private:
  RecordFiles files_;
  std::function<void(std::byte*, Dim)> decode_;
  SampleSpecs specs_;
};

}  // namespace

std::size_t file_size(const std::string& path) {
  std::error_code failed;
  if (std::filesystem::is_directory(path, failed)) throw IoError(path, "expected a file, received a directory");
  const auto size = std::filesystem::file_size(path, failed);
  if (failed) throw IoError(path, "cannot be opened: " + failed.message());
  return size;
}

RecordFiles::RecordFiles(const std::vector<RecordRange>& ranges, std::size_t record_bytes)
    : record_bytes_(record_bytes) {
  for (const RecordRange& range : ranges) {
    const int descriptor = ::open(range.path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
      const int error = errno;
      close();
      throw IoError(range.path, fmt::format("cannot be opened: {}", std::strerror(error)));
    }
    files_.push_back({range.path, range.begin, records_, range.records, descriptor});
    records_ += range.records;
  }
}

RecordFiles::~RecordFiles() { close(); }

void RecordFiles::close() noexcept {
  for (const File& file : files_) ::close(file.descriptor);
}

void RecordFiles::read(std::span<const SampleRef> samples, std::byte* to) const {
  for (std::size_t i = 0; i < samples.size();) {
    std::size_t run = 1;
    while (i + run < samples.size() && samples[i + run].row == samples[i].row + static_cast<Dim>(run)) ++run;
    read_run(samples[i].row, static_cast<Dim>(run), to + i * record_bytes_);
    i += run;
  }
}

const RecordFiles::File& RecordFiles::file_of(Dim record) const {
  return *std::prev(
      std::upper_bound(files_.begin(), files_.end(), record, [](Dim r, const File& file) { return r < file.first; }));
}

void RecordFiles::read_run(Dim first, Dim count, std::byte* to) const {
  while (count > 0) {
    const File& file = file_of(first);
    const Dim here = std::min(count, file.first + file.records - first);
    const std::size_t bytes = static_cast<std::size_t>(here) * record_bytes_;
    read_bytes(file, file.begin + static_cast<std::size_t>(first - file.first) * record_bytes_, bytes, to);
    to += bytes;
    first += here;
    count -= here;
  }
}

void RecordFiles::read_bytes(const File& file, std::size_t at, std::size_t left, std::byte* to) const {
  while (left > 0) {
    const ssize_t got = ::pread(file.descriptor, to, left, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw IoError(file.path, fmt::format("cannot be read: {}", std::strerror(errno)));
    if (got == 0) throw IoError(file.path, fmt::format("is cut short: expected more than {} bytes", at));
    to += got;
    at += static_cast<std::size_t>(got);
    left -= static_cast<std::size_t>(got);
    bytes_read_.fetch_add(got, std::memory_order_relaxed);
  }
}

SampleSourceRef make_record_source(const std::vector<RecordRange>& ranges, const TensorSpec& row,
                                   std::function<void(std::byte*, Dim)> decode) {
  return std::make_shared<RecordSource>(ranges, row, std::move(decode));
}

}  // namespace strata::loaders
