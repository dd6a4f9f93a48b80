// SPDX-License-Identifier: Apache-2.0
#include "io/loaders/record_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>

#include "core/base/error.h"

namespace strata::loaders {
namespace {

/// Up to this size of a record the system call for it takes longer than copying it.
constexpr std::size_t kMostMapped = std::size_t{1} << 14U;
/// Files of one source.
constexpr std::size_t kMostOpen = 16;

class ArraySource final : public SampleSource {
 public:
  ArraySource(const RecordRange& range, const TensorSpec& row, std::function<void(std::span<std::byte>)> decode)
      : files_({range}, row.bytes()), decode_(std::move(decode)) {
    specs_.x.push_back({row, ""});
  }
  Dim rows() const override { return files_.records(); }
  const SampleSpecs& specs() const override { return specs_; }
  std::string name() const override { return files_.path(); }
  std::int64_t bytes_read() const override { return files_.bytes_read(); }
  void read(std::span<const SampleRef> samples, std::span<std::byte* const> to) const override {
    if (to[0] == nullptr) return;
    files_.read(samples, to[0]);
    if (decode_) decode_({to[0], samples.size() * files_.record_bytes()});
  }

 private:
  RecordFiles files_;
  std::function<void(std::span<std::byte>)> decode_;
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

OpenFile::OpenFile(const std::string& path) : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (descriptor_ < 0) throw IoError(path, fmt::format("cannot be opened: {}", std::strerror(errno)));
}

OpenFile::~OpenFile() { ::close(descriptor_); }

RecordFiles::RecordFiles(const std::vector<RecordRange>& ranges, std::size_t record_bytes)
    : record_bytes_(record_bytes) {
  for (const RecordRange& range : ranges) {
    auto open = std::make_unique<OpenFile>(range.path);
    std::unique_ptr<MappedFile> map;
    if (ranges.size() > kMostOpen) {
      open = nullptr;
    } else if (record_bytes <= kMostMapped) {
      const std::size_t end = range.begin + static_cast<std::size_t>(range.records) * record_bytes;
      map = std::make_unique<MappedFile>(open->descriptor(), end);
    }
    files_.push_back({range.path, range.begin, records_, range.records, std::move(open), std::move(map)});
    records_ += range.records;
  }
}

bool RecordFiles::whole_maps() const {
  return std::all_of(files_.begin(), files_.end(),
                     [](const File& file) { return file.map != nullptr && file.map->whole(file.open->descriptor()); });
}

void RecordFiles::read(std::span<const SampleRef> samples, std::byte* to) const {
  const bool mapped = whole_maps();
  for (std::size_t i = 0; i < samples.size();) {
    std::size_t run = 1;
    while (i + run < samples.size() && samples[i + run].row == samples[i].row + static_cast<Dim>(run)) ++run;
    read_run(samples[i].row, static_cast<Dim>(run), mapped, to + i * record_bytes_);
    i += run;
  }
}

const RecordFiles::File& RecordFiles::file_of(Dim record) const {
  return *std::prev(
      std::upper_bound(files_.begin(), files_.end(), record, [](Dim r, const File& file) { return r < file.first; }));
}

void RecordFiles::read_run(Dim first, Dim count, bool mapped, std::byte* to) const {
  while (count > 0) {
    const File& file = file_of(first);
    const Dim here = std::min(count, file.first + file.records - first);
    const std::size_t bytes = static_cast<std::size_t>(here) * record_bytes_;
    const std::size_t at = file.begin + static_cast<std::size_t>(first - file.first) * record_bytes_;
    if (mapped && file.map->copy(at, bytes, to)) {
      bytes_read_.fetch_add(static_cast<std::int64_t>(bytes), std::memory_order_relaxed);
    } else {
      read_bytes(file, at, bytes, to);
    }
    to += bytes;
    first += here;
    count -= here;
  }
}

void RecordFiles::read_bytes(const File& file, std::size_t at, std::size_t left, std::byte* to) const {
  std::optional<OpenFile> opened;
  if (file.open == nullptr) opened.emplace(file.path);
  const int descriptor = (opened ? *opened : *file.open).descriptor();
  while (left > 0) {
    const ssize_t got = ::pread(descriptor, to, left, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw IoError(file.path, fmt::format("cannot be read: {}", std::strerror(errno)));
    if (got == 0) throw IoError(file.path, fmt::format("is cut short: expected more than {} bytes", at));
    to += got;
    at += static_cast<std::size_t>(got);
    left -= static_cast<std::size_t>(got);
    bytes_read_.fetch_add(got, std::memory_order_relaxed);
  }
}

TensorSpec sample_of(const std::string& path, const TensorSpec& spec, const std::string& array) {
  if (spec.shape.rank() > 0) return {spec.shape.slice(1, spec.shape.rank()), spec.dtype};
  throw IoError(path, (array.empty() ? "" : "array " + array + ": ") +
                          "expected samples along a first dimension, received a single number");
}

void require_ends_with(const std::string& path, const ArrayHeader& header) {
  const std::size_t expected = header.bytes + header.data_bytes, received = file_size(path);
  if (expected == received) return;
  throw IoError(path, fmt::format("expected {} bytes for {}, received {}", expected, header.spec.str(), received));
}

SampleSourceRef make_array_source(const std::string& path, const TensorSpec& spec, std::size_t begin,
                                  std::function<void(std::span<std::byte>)> decode, const std::string& array) {
  const TensorSpec row = sample_of(path, spec, array);
  return std::make_shared<ArraySource>(RecordRange{path, begin, spec.shape[0]}, row, std::move(decode));
}

}  // namespace strata::loaders
