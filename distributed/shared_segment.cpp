// SPDX-License-Identifier: Apache-2.0
#include "distributed/shared_segment.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>

namespace strata {
namespace {

/// The segments of this process: ranks that are threads of it see each other's memory where it is.
struct Registry {
  std::mutex mutex;
  std::uint64_t created = 0;
  std::map<std::uint64_t, std::weak_ptr<SharedSegment>> segments;
};

// Never destroyed: segments may outlive everything else.
Registry& registry() {
  static auto* made = new Registry;
  return *made;
}

std::string failed(const char* call) { return fmt::format("{}: {}", call, std::strerror(errno)); }

}  // namespace

std::byte* SharedSegment::map(int file, std::size_t bytes) {
  void* data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, 0);
  return data == MAP_FAILED ? nullptr : static_cast<std::byte*>(data);
}

std::shared_ptr<SharedSegment> SharedSegment::create(std::size_t wanted, std::string& error) {
  const std::size_t bytes = std::max<std::size_t>(wanted, 1);
  const int file = memfd_create("strata", MFD_CLOEXEC);
  if (file < 0) {
    error = failed("memfd_create");
    return nullptr;
  }
  // Reserves the pages: a mapping beyond what there is would end the process when it is touched.
  const int refused = posix_fallocate(file, 0, static_cast<off_t>(bytes));
  if (refused != 0) errno = refused;
  std::byte* data = refused == 0 ? map(file, bytes) : nullptr;
  if (data == nullptr) {
    error = failed(refused == 0 ? "mmap" : "posix_fallocate");
    close(file);
    return nullptr;
  }
  std::shared_ptr<SharedSegment> made(new SharedSegment(data, bytes));
  made->file_ = file;
  Registry& known = registry();
  const std::lock_guard lock(known.mutex);
  made->handle_ = {getpid(), file, ++known.created, bytes};
  known.segments.emplace(made->handle_.number, made);
  return made;
}

std::shared_ptr<SharedSegment> SharedSegment::open(const Handle& handle, std::string& error) {
  if (handle.pid == getpid()) {
    Registry& known = registry();
    const std::lock_guard lock(known.mutex);
    const auto found = known.segments.find(handle.number);
    if (found != known.segments.end()) return found->second.lock();
    error = "the segment is gone";
    return nullptr;
  }
  const std::string path = fmt::format("/proc/{}/fd/{}", handle.pid, handle.file);
  const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) {
    error = failed(path.c_str());
    return nullptr;
  }
  std::byte* data = map(file, handle.bytes);
  if (data == nullptr) error = failed("mmap");
  close(file);
  return std::shared_ptr<SharedSegment>(data == nullptr ? nullptr : new SharedSegment(data, handle.bytes));
}

SharedSegment::~SharedSegment() {
  close_file();
  munmap(data_, bytes_);
  if (handle_.number == 0) return;
  Registry& known = registry();
  const std::lock_guard lock(known.mutex);
  known.segments.erase(handle_.number);
}

void SharedSegment::close_file() {
  if (file_ >= 0) close(file_);
  file_ = -1;
}

}  // namespace strata
