// SPDX-License-Identifier: Apache-2.0
#include "io/loaders/mapped_file.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22  // since Linux 5.14; older ones refuse it
#endif

namespace strata::loaders {
namespace {

/// Bytes that are asked for together: about as many as the system reads for one page that is missing.
constexpr std::size_t kUnit = std::size_t{1} << 16U;

bool long_enough(int descriptor, std::size_t size) {
  struct stat status {};
  return ::fstat(descriptor, &status) == 0 && static_cast<std::size_t>(status.st_size) >= size;
}

}  // namespace

MappedFile::MappedFile(int descriptor, std::size_t size) : size_(size) {
  if (size == 0 || !long_enough(descriptor, size)) return;
  void* const place = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor, 0);
  if (place == MAP_FAILED) return;
  data_ = static_cast<const std::byte*>(place);
  present_ = std::make_unique<std::atomic<bool>[]>((size + kUnit - 1) / kUnit);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

bool MappedFile::whole(int descriptor) const { return data_ != nullptr && long_enough(descriptor, size_); }

bool MappedFile::present(std::size_t unit) const {
  if (present_[unit].load(std::memory_order_relaxed)) return true;
  void* const begin = const_cast<std::byte*>(data_) + unit * kUnit;
  if (::madvise(begin, std::min(kUnit, size_ - unit * kUnit), MADV_POPULATE_READ) != 0) return false;
  present_[unit].store(true, std::memory_order_relaxed);
  return true;
}

bool MappedFile::copy(std::size_t at, std::size_t size, std::byte* to) const {
  if (data_ == nullptr || at > size_ || size > size_ - at) return false;
  for (std::size_t unit = at / kUnit; unit * kUnit < at + size; ++unit) {
    if (!present(unit)) return false;
  }
  std::memcpy(to, data_ + at, size);
  return true;
}

}  // namespace strata::loaders
