// SPDX-License-Identifier: Apache-2.0
// Internal: a checksum behind the end of an HDF5 file. The library ignores what lies there; it does not notice damage
// itself, and some damage makes it read outside of its memory.
#pragma once

#include <string>

namespace strata {

/// Appends the checksum of all bytes of the file. False when that fails, errno saying why.
[[nodiscard]] bool seal_file(const std::string& path);

/// Throws IoError when the file has a checksum and other bytes. One without, from another program, passes.
void check_seal(const std::string& path);

}  // namespace strata
