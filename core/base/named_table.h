// SPDX-License-Identifier: Apache-2.0
// Values by name, to which programs may add theirs.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace strata {

/// Thread-safe.
template <class T>
class NamedTable {
 public:
  /// False when the name is taken; then nothing changes.
  bool add(const std::string& name, T value) {
    const std::lock_guard lock(mutex_);
    return values_.emplace(name, std::move(value)).second;
  }
  std::optional<T> find(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = values_.find(name);
    return found == values_.end() ? std::nullopt : std::optional<T>(found->second);
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, T> values_;
};

}  // namespace strata
