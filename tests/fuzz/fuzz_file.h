// SPDX-License-Identifier: Apache-2.0
// What every fuzz target of a file format does: the bytes become a file, which is read, and any answer but a typed
// error is a defect.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/training/dataset.h"

namespace strata::testing {

/// Calls `read`; files that are malformed, or do not fit the options, are what it may complain of.
inline int expect_typed_errors(const std::function<void()>& read) {
  try {
    read();
  } catch (const IoError&) {
  } catch (const ConfigError&) {
  }
  return 0;
}

/// Calls `read` with the path of a file in memory that holds the bytes.
inline int fuzz_path(const std::uint8_t* data, std::size_t size, const std::function<void(const std::string&)>& read) {
  const int descriptor = memfd_create("fuzz", 0);
  if (descriptor < 0 || write(descriptor, data, size) != static_cast<ssize_t>(size)) std::abort();
  expect_typed_errors([&] { read("/proc/self/fd/" + std::to_string(descriptor)); });
  close(descriptor);
  return 0;
}

/// Reads some samples, the last ones.
inline void read_samples(const Dataset& data) {
  const auto source = data.source();
  std::vector<SampleRef> samples;
  for (Dim row = 0; row < std::min<Dim>(source->rows(), 8); ++row)
    samples.push_back({source->rows() - 1 - row, row, 0});
  std::vector<std::vector<std::byte>> memory;
  std::vector<std::byte*> to;
  std::size_t bytes = 0;
  for (const SampleArray& array : source->specs().all()) bytes += array.row.bytes();
  // A header may promise samples of any size; who reads them has to have the memory.
  const bool fits = bytes < (1U << 20U);
  for (const SampleArray& array : source->specs().all()) {
    memory.emplace_back(fits ? samples.size() * array.row.bytes() : 0);
    to.push_back(fits ? memory.back().data() : nullptr);
  }
  source->read(samples, to);
}

/// Calls `load` with the path of a file in memory that holds the bytes, and reads some samples of what it returns.
inline int fuzz_file(const std::uint8_t* data, std::size_t size,
                     const std::function<Dataset(const std::string&)>& load) {
  return fuzz_path(data, size, [&](const std::string& path) { read_samples(load(path)); });
}

}  // namespace strata::testing
