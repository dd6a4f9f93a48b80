// SPDX-License-Identifier: Apache-2.0
#include "core/base/thread_environment.h"

#include <omp.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace strata {
namespace {

#if defined(__x86_64__)
constexpr unsigned kMasked = 0x1F80;          // all exceptions masked, round to nearest
constexpr unsigned kFlushDenormals = 0x8040;  // FTZ and DAZ
std::uint64_t exchange_control(std::uint64_t wanted) {
  const std::uint64_t found = _mm_getcsr();
  _mm_setcsr(static_cast<unsigned>(wanted));
  return found;
}
constexpr std::uint64_t kEngineControl = kMasked | kFlushDenormals;
#elif defined(__aarch64__)
std::uint64_t exchange_control(std::uint64_t wanted) {
  std::uint64_t found;
  asm volatile("mrs %0, fpcr" : "=r"(found));
  asm volatile("msr fpcr, %0" : : "r"(wanted));
  return found;
}
constexpr std::uint64_t kEngineControl = std::uint64_t{1} << 24;  // FZ, round to nearest
#else
std::uint64_t exchange_control(std::uint64_t wanted) { return wanted; }
constexpr std::uint64_t kEngineControl = 0;
#endif

}  // namespace

ThreadEnvironment::ThreadEnvironment()
    : floating_point_(exchange_control(kEngineControl)), threads_(omp_get_max_threads()) {
  omp_set_num_threads(1);
}

ThreadEnvironment::~ThreadEnvironment() {
  omp_set_num_threads(threads_);
  exchange_control(floating_point_);
}

}  // namespace strata
