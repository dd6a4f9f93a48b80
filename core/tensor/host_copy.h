// SPDX-License-Identifier: Apache-2.0
// Bytes of a buffer of any device, in host memory.
#pragma once

#include <cstddef>
#include <string>

#include "core/tensor/device.h"

namespace strata {

/// The first `bytes` bytes of `buffer`. Waits for the copy; not for kernels that still write the buffer.
inline std::string host_copy(const Buffer& buffer, std::size_t bytes) {
  std::string copy(bytes, '\0');
  Device& device = buffer.storage->device();
  const auto stream = device.make_stream();
  device.copy_to_host(copy.data(), buffer.data(), bytes, *stream);
  stream->synchronize();
  return copy;
}

}  // namespace strata
