// SPDX-License-Identifier: Apache-2.0
// Stands in where libpng was not found: every file is refused.
#include "io/png.h"

#include "core/base/error.h"

namespace strata {
namespace {

[[noreturn]] void refuse(const std::string& path) {
  throw IoError(path,
                "this Strata was built without libpng, which pictures need: install it (Debian: libpng-dev) and build "
                "again");
}

}  // namespace

Tensor read_png(const std::string& path, Dim) { refuse(path); }

Pixels decode_png(const std::vector<unsigned char>&, const std::string& path, Dim) { refuse(path); }

void write_png(const std::string& path, const Tensor&) { refuse(path); }

}  // namespace strata
