// SPDX-License-Identifier: Apache-2.0
// Stands in where libjpeg was not found: every file is refused.
#include "io/jpeg.h"

#include "core/base/error.h"

namespace strata {

Tensor read_jpeg(const std::string& path, Dim) { return decode_jpeg({}, path).tensor(); }

Pixels decode_jpeg(const std::vector<unsigned char>&, const std::string& path, Dim) {
  throw IoError(path,
                "this Strata was built without libjpeg, which JPEG pictures need: install it (Debian: libjpeg-dev) and "
                "build again");
}

}  // namespace strata
