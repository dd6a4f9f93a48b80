// SPDX-License-Identifier: Apache-2.0
#include "distributed/flight_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/base/error.h"
#include "distributed/flight_format.h"

namespace strata {
namespace {

/// A file's bytes, as they change while it is written. The maps of a file that was cut would end the process: a run
/// never cuts one.
class Mapped {
 public:
  explicit Mapped(const std::string& path) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) throw IoError(path, fmt::format("cannot read it: {}", std::strerror(errno)));
    struct stat info {};
    if (fstat(file, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0) {
      bytes_ = static_cast<std::size_t>(info.st_size);
      memory_ = mmap(nullptr, bytes_, PROT_READ, MAP_SHARED, file, 0);
    }
    const int error = errno;
    close(file);
    if (memory_ == MAP_FAILED) throw IoError(path, fmt::format("cannot read it: {}", std::strerror(error)));
  }
  ~Mapped() {
    if (memory_ != nullptr && memory_ != MAP_FAILED) munmap(memory_, bytes_);
  }
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;

  std::size_t bytes() const { return bytes_; }
  std::byte* at(std::size_t offset) const { return static_cast<std::byte*>(memory_) + offset; }

 private:
  void* memory_ = nullptr;
  std::size_t bytes_ = 0;
};

template <std::size_t n>
std::string text_of(const std::array<char, n>& chars) {
  return {chars.data(), strnlen(chars.data(), n)};
}

FlightHeader checked_header(const std::string& path, const Mapped& map) {
  FlightHeader header;
  if (map.bytes() >= sizeof header.magic) std::memcpy(&header.magic, map.at(0), sizeof header.magic);
  if (header.magic != FlightHeader::kMagic) throw IoError(path, "this is not a file of the flight recorder");
  if (map.bytes() < sizeof header) {
    throw IoError(path, fmt::format("it was cut: expected at least {} bytes, received {}", sizeof header, map.bytes()));
  }
  std::memcpy(&header, map.at(0), sizeof header);
  if (header.version != FlightHeader::kVersion) {
    throw IoError(path, fmt::format("expected version {} of the flight recorder's files, received {}",
                                    FlightHeader::kVersion, header.version));
  }
  const bool makes_sense = header.capacity > 0 && header.record_bytes == sizeof(FlightRecord) && header.size > 0 &&
                           header.rank >= 0 && header.rank < header.size;
  if (!makes_sense) {
    throw IoError(path, fmt::format("its header is damaged: rank {} of {}, {} records of {} bytes", header.rank,
                                    header.size, header.capacity, header.record_bytes));
  }
  const std::size_t expected = sizeof header + std::size_t{header.capacity} * sizeof(FlightRecord);
  if (map.bytes() != expected) {
    throw IoError(path, fmt::format("it was cut or damaged: expected {} bytes, received {}", expected, map.bytes()));
  }
  return header;
}

/// A record that was not being written meanwhile; false for one that was, or never was. The end comes apart from the
/// rest, in one piece.
bool copy_record(FlightRecord& source, FlightRecord& copy) {
  const std::atomic_ref number(source.number);
  const std::uint64_t before = number.load(std::memory_order_acquire);
  if (before == 0) return false;
  std::memcpy(&copy, &source, sizeof copy);
  std::atomic_thread_fence(std::memory_order_acquire);
  return number.load(std::memory_order_relaxed) == before;
}

FlightEntry entry_of(const FlightRecord& record) {
  FlightEntry entry;
  entry.stamp = {record.number, record.epoch,  record.step,
                 record.bytes,  record.detail, static_cast<CallKind>(record.kind)};
  entry.name = text_of(record.name);
  entry.started = record.started;
  entry.ended = std::abs(record.ended);
  entry.state = record.ended == 0  ? FlightEntry::State::started
                : record.ended > 0 ? FlightEntry::State::done
                                   : FlightEntry::State::failed;
  return entry;
}

std::vector<FlightEntry> read_entries(const std::string& path, const Mapped& map, std::uint32_t capacity) {
  std::vector<FlightEntry> entries;
  for (std::uint32_t i = 0; i < capacity; ++i) {
    FlightRecord record;
    auto* source = reinterpret_cast<FlightRecord*>(map.at(sizeof(FlightHeader) + i * sizeof record));
    if (!copy_record(*source, record)) continue;
    if (record.number % capacity != i || record.kind > static_cast<std::uint32_t>(CallKind::last)) {
      throw IoError(path, fmt::format("its record {} is damaged: number {}, kind {}", i, record.number, record.kind));
    }
    entries.push_back(entry_of(record));
  }
  std::sort(entries.begin(), entries.end(),
            [](const FlightEntry& a, const FlightEntry& b) { return a.stamp.number < b.stamp.number; });
  return entries;
}

}  // namespace

const FlightEntry* FlightFile::find(std::uint64_t number) const {
  const auto found = std::lower_bound(entries.begin(), entries.end(), number,
                                      [](const FlightEntry& e, std::uint64_t s) { return e.stamp.number < s; });
  return found == entries.end() || found->stamp.number != number ? nullptr : &*found;
}

FlightFile read_flight_file(const std::string& path) {
  const Mapped map(path);
  const FlightHeader header = checked_header(path, map);
  FlightFile file;
  file.path = path;
  file.rank = header.rank;
  file.size = header.size;
  file.identity = header.identity;
  file.identity.host.back() = file.identity.machine.back() = '\0';
  file.group = header.group;
  file.communicator = text_of(header.communicator);
  file.opened = header.opened;
  file.closed = header.closed;
  file.failed = header.failed;
  if (header.failed != 0) file.error = text_of(header.error);
  file.entries = read_entries(path, map, header.capacity);
  return file;
}

FlightDirectory read_flight_directory(const std::string& directory) {
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (entry.path().extension() == ".flight") paths.push_back(entry.path().string());
  }
  if (error) throw IoError(directory, "cannot read the directory: " + error.message());
  if (paths.empty()) {
    throw IoError(
        directory,
        "expected files of the flight recorder (*.flight), found none. A run writes them when the environment "
        "has STRATA_FLIGHT_RECORDER=DIRECTORY.");
  }
  std::sort(paths.begin(), paths.end());
  FlightDirectory all;
  for (const std::string& path : paths) {
    try {
      all.files.push_back(read_flight_file(path));
    } catch (const IoError& wrong) {
      all.wrong.emplace_back(wrong.what());
    }
  }
  return all;
}

}  // namespace strata
