// SPDX-License-Identifier: Apache-2.0
#include "core/training/bucket_size.h"

#include <algorithm>
#include <chrono>
#include <limits>

namespace strata {
namespace {

constexpr std::size_t kShort = 64 * 1024, kLong = 1024 * 1024;
constexpr double kLeast = 256.0 * 1024, kMost = 16.0 * 1024 * 1024;
constexpr int kRuns = 3;

/// Seconds of one sum of so many bytes, the fastest of a few.
double time_sum(Communicator& communicator, std::size_t bytes) {
  const auto memory = communicator.allocate(cpu_device(), bytes);
  void* const partials[] = {memory->data()};
  const auto sum =
      communicator.prepare_block_sum(cpu_device(), {Dtype::float32, static_cast<Dim>(bytes / sizeof(float)),
                                                    communicator.size(), partials, "zeros, to see how fast it goes"});
  double best = std::numeric_limits<double>::infinity();
  for (int run = 0; run <= kRuns; ++run) {
    const auto start = Communicator::Clock::now();
    sum->start();
    sum->wait();
    const std::chrono::duration<double> seconds = Communicator::Clock::now() - start;
    if (run > 0) best = std::min(best, seconds.count());  // the first one also waits for late ranks
  }
  return best;
}

}  // namespace

std::size_t choose_bucket_bytes(double short_bytes, double short_seconds, double long_bytes, double long_seconds) {
  constexpr double kTimes = 20;
  const double per_byte = std::max((long_seconds - short_seconds) / (long_bytes - short_bytes), 1e-12);
  const double fixed = std::max(short_seconds - per_byte * short_bytes, 0.0);
  return static_cast<std::size_t>(std::clamp(kTimes * fixed / per_byte, kLeast, kMost));
}

std::size_t measure_bucket_bytes(Communicator& communicator) {
  const double short_seconds = time_sum(communicator, kShort), long_seconds = time_sum(communicator, kLong);
  std::uint64_t bytes = choose_bucket_bytes(kShort, short_seconds, kLong, long_seconds);
  communicator.broadcast(&bytes, sizeof bytes, 0);
  return bytes;
}

}  // namespace strata
