// SPDX-License-Identifier: Apache-2.0
#include "core/base/library_versions.h"

#include <mutex>

namespace strata {
namespace {

struct Versions {
  std::mutex mutex;
  std::map<std::string, std::string> of;
};

// Never destroyed: libraries are loaded before and unloaded after everything else.
Versions& versions() {
  static auto* all = new Versions;
  return *all;
}

}  // namespace

void add_library_version(const std::string& library, const std::string& version) {
  Versions& all = versions();
  const std::lock_guard lock(all.mutex);
  all.of[library] = version;
}

std::map<std::string, std::string> library_versions() {
  Versions& all = versions();
  const std::lock_guard lock(all.mutex);
  return all.of;
}

}  // namespace strata
