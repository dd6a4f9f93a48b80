// SPDX-License-Identifier: Apache-2.0
// How many files a process has open, and may.
#pragma once

#include <sys/resource.h>

#include <filesystem>

#include "core/base/shape.h"

namespace strata::testing {

inline Dim open_files() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return std::distance(begin(all), end(all));
}

/// No more files than are open now, and some.
class FewFiles {
 public:
  explicit FewFiles(int more) {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit less{static_cast<rlim_t>(open_files() + more), before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &less);
  }
  ~FewFiles() { setrlimit(RLIMIT_NOFILE, &before_); }
  FewFiles(const FewFiles&) = delete;
  FewFiles& operator=(const FewFiles&) = delete;

 private:
  rlimit before_{};
};

}  // namespace strata::testing
