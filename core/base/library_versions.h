// SPDX-License-Identifier: Apache-2.0
// The libraries that the parts of this process use, for reports of where something was computed.
#pragma once

#include <map>
#include <string>

namespace strata {

/// Says that `library` takes part; again with another version: the last one counts. Thread-safe.
void add_library_version(const std::string& library, const std::string& version);
/// By name, what was said so far: {"HDF5": "1.10.8"}. Thread-safe.
std::map<std::string, std::string> library_versions();

}  // namespace strata
