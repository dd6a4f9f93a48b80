// SPDX-License-Identifier: Apache-2.0
// Stands in where minizip was not found: every file is refused.
#include "io/npz.h"

#include "core/base/error.h"

namespace strata {
namespace {

[[noreturn]] void refuse(const std::string& path) {
  throw IoError(path,
                "this Strata was built without minizip, which .npz files need: install it (Debian: libminizip-dev) and "
                "build again");
}

}  // namespace

std::map<std::string, Tensor> read_npz(const std::string& path) { refuse(path); }

void write_npz(const std::string& path, const std::vector<std::pair<std::string, Tensor>>&) { refuse(path); }

std::map<std::string, NpzEntry> find_in_npz(const std::string& path, const std::set<std::string>&) { refuse(path); }

Tensor read_npz_array(const std::string& path, const std::string&) { refuse(path); }

}  // namespace strata
