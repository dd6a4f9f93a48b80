// SPDX-License-Identifier: Apache-2.0
// How many gradients to sum in one go: enough that a sum's fixed cost does not count, few enough that the first sum
// starts early.
#pragma once

#include <cstddef>

#include "core/program/communicator.h"

namespace strata {

/// Bytes for which the time of a sum is twenty times its fixed cost, from the times of a short and a long sum: of the
/// line through both. From 256 KB to 16 MB; equal on all ranks. Collective; takes a few sums of 1 MB. What it returns
/// does not change any bits.
std::size_t measure_bucket_bytes(Communicator& communicator);

/// The same arithmetic for sums of `short_bytes` and `long_bytes` that took so many seconds.
std::size_t choose_bucket_bytes(double short_bytes, double short_seconds, double long_bytes, double long_seconds);

}  // namespace strata
