// SPDX-License-Identifier: Apache-2.0
#include "tests/support/allocation_counter.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<bool> counting = false;
std::atomic<int> allocations = 0;
std::atomic<std::size_t> largest = 0;

void count(std::size_t bytes) noexcept {
  if (!counting) return;
  ++allocations;
  std::size_t seen = largest;
  while (bytes > seen && !largest.compare_exchange_weak(seen, bytes)) {
  }
}

void* allocate(std::size_t bytes) noexcept {
  count(bytes);
  return std::malloc(bytes > 0 ? bytes : 1);
}

void* allocate(std::size_t bytes, std::align_val_t alignment) noexcept {
  count(bytes);
  const auto align = static_cast<std::size_t>(alignment);
  return std::aligned_alloc(align, (bytes + align) / align * align);
}

void* checked(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// Every form: sanitizers bring their own for those that a program leaves out.
void* operator new(std::size_t n) { return checked(allocate(n)); }
void* operator new[](std::size_t n) { return checked(allocate(n)); }
void* operator new(std::size_t n, std::align_val_t a) { return checked(allocate(n, a)); }
void* operator new[](std::size_t n, std::align_val_t a) { return checked(allocate(n, a)); }
void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return allocate(n); }
void* operator new[](std::size_t n, const std::nothrow_t&) noexcept { return allocate(n); }
void* operator new(std::size_t n, std::align_val_t a, const std::nothrow_t&) noexcept { return allocate(n, a); }
void* operator new[](std::size_t n, std::align_val_t a, const std::nothrow_t&) noexcept { return allocate(n, a); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { std::free(p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t, const std::nothrow_t&) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t, const std::nothrow_t&) noexcept { std::free(p); }

namespace strata::testing {

void start_counting_allocations() {
  allocations = 0;
  largest = 0;
  counting = true;
}

int stop_counting_allocations() {
  counting = false;
  return allocations;
}

std::size_t largest_counted_allocation() { return largest; }

}  // namespace strata::testing
