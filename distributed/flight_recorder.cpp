// SPDX-License-Identifier: Apache-2.0
#include "distributed/flight_recorder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <utility>

#include "core/base/error.h"
#include "core/base/fixed_text.h"
#include "distributed/flight_format.h"

namespace strata {
namespace {

std::int64_t now() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

std::uint64_t hash(const std::string& text) { return XXH3_64bits(text.data(), text.size()); }

/// What this process counts, for names that ranks agree on without a message. Thread-safe.
class Counters {
 public:
  int next(std::uint64_t key, int rank) {
    const std::lock_guard lock(mutex_);
    return counts_[{key, rank}]++;
  }

 private:
  std::mutex mutex_;
  std::map<std::pair<std::uint64_t, int>, int> counts_;
};

Counters& counters() {
  static Counters all;
  return all;
}

/// The rank in the whole job, where a launcher says it: no two processes have the same. Otherwise this process has all
/// ranks.
int rank_in_job(int rank) {
  for (const char* variable : {"OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", "SLURM_PROCID"}) {
    const char* text = std::getenv(variable);
    if (text != nullptr && *text != '\0') return std::atoi(text);
  }
  return rank;
}

/// Ranks open equal communicators in the same order, so the count of those with the same members tells them apart.
FlightGroup first_group(const Transport& transport) {
  std::string members;
  for (int r = 0; r < transport.size(); ++r) members += transport.describe(r) + "\n";
  const int number = counters().next(hash(members), transport.rank());
  const std::string name = std::to_string(number);
  return {hash(members + name), name};
}

[[noreturn]] void fail_to_make(const std::string& path, int error) {
  throw IoError(path, fmt::format("cannot make the flight recorder's file: {}", std::strerror(error)));
}

/// Made under another name and then renamed: a process of an earlier run may still have the old file mapped.
int make_file(const std::string& path, const std::string& temporary, std::size_t bytes) {
  const int file = open(temporary.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) fail_to_make(path, errno);
  // Not a hole: a full disk is to be an error now rather than a SIGBUS in the middle of a step.
  int error = posix_fallocate(file, 0, static_cast<off_t>(bytes));
  if (error == 0 && std::rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error == 0) return file;
  close(file);
  unlink(temporary.c_str());
  fail_to_make(path, error);
}

}  // namespace

struct FlightRecorder::Map {
  static constexpr std::size_t kBytes = sizeof(FlightHeader) + kRecords * sizeof(FlightRecord);

  explicit Map(const std::string& path) {
    const int file = make_file(path, fmt::format("{}.{}", path, getpid()), kBytes);
    memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, 0);
    const int error = errno;
    close(file);
    if (memory == MAP_FAILED) fail_to_make(path, error);
  }
  ~Map() { munmap(memory, kBytes); }
  Map(const Map&) = delete;
  Map& operator=(const Map&) = delete;

  FlightHeader& header() const { return *static_cast<FlightHeader*>(memory); }
  FlightRecord& record(std::uint64_t number) const {
    return reinterpret_cast<FlightRecord*>(&header() + 1)[number % kRecords];
  }

  void* memory;
};

std::unique_ptr<FlightRecorder> FlightRecorder::from_environment(const Transport& transport, const FlightGroup* group) {
  const char* directory = std::getenv("STRATA_FLIGHT_RECORDER");
  if (directory == nullptr || *directory == '\0') return nullptr;
  return std::make_unique<FlightRecorder>(directory, transport, group == nullptr ? first_group(transport) : *group);
}

FlightRecorder::FlightRecorder(const std::string& directory, const Transport& transport, FlightGroup group)
    : group_(std::move(group)) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) throw IoError(directory, "cannot make the flight recorder's directory: " + error.message());
  const int rank = rank_in_job(transport.rank());
  path_ = fmt::format("{}/rank-{:04}.{}.flight", directory, rank, counters().next(0, rank));
  map_ = std::make_unique<Map>(path_);
  FlightHeader& header = map_->header();
  header.version = FlightHeader::kVersion;
  header.capacity = kRecords;
  header.record_bytes = sizeof(FlightRecord);
  header.rank = transport.rank();
  header.size = transport.size();
  header.identity = own_identity();
  header.group = group_.key;
  header.opened = now();
  copy_text(header.communicator, group_.name);
  std::atomic_thread_fence(std::memory_order_release);
  header.magic = FlightHeader::kMagic;
}

FlightRecorder::~FlightRecorder() { finish(); }

void FlightRecorder::finish() {
  const std::atomic_ref closed(map_->header().closed);
  if (closed.load(std::memory_order_relaxed) == 0) closed.store(now(), std::memory_order_release);
}

void FlightRecorder::start(const CallStamp& stamp, std::string_view name) {
  FlightRecord& record = map_->record(stamp.number);
  const std::atomic_ref number(record.number);
  number.store(0, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  std::atomic_ref(record.ended).store(0, std::memory_order_relaxed);
  record.epoch = stamp.epoch;
  record.step = stamp.step;
  record.bytes = stamp.bytes;
  record.detail = stamp.detail;
  record.kind = static_cast<std::uint32_t>(stamp.kind);
  record.started = now();
  copy_text(record.name, name);
  number.store(stamp.number, std::memory_order_release);
  last_ = stamp.number;
}

void FlightRecorder::done(std::uint64_t number) {
  if (last_ - number >= kRecords) return;  // others have taken its place
  std::atomic_ref(map_->record(number).ended).store(now(), std::memory_order_release);
}

void FlightRecorder::fail(std::string_view error) {
  const std::int64_t when = now();
  for (std::uint64_t back = 0; back < std::min<std::uint64_t>(last_, kRecords); ++back) {
    const std::atomic_ref ended(map_->record(last_ - back).ended);
    if (ended.load(std::memory_order_relaxed) == 0) ended.store(-when, std::memory_order_relaxed);
  }
  copy_text(map_->header().error, error);
  std::atomic_ref(map_->header().failed).store(when, std::memory_order_release);
}

FlightGroup FlightRecorder::next_part(int color) {
  const int number = parts_++;
  const std::string name = fmt::format("{}, split {} of color {}", group_.name, number, color);
  return {hash(fmt::format("{} {}", group_.key, name)), name};
}

}  // namespace strata
