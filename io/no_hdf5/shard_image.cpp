// SPDX-License-Identifier: Apache-2.0
// Stands in where the HDF5 library was not found.
#include "io/shard_image.h"

#include "core/base/error.h"

namespace strata {

ShardImage make_shard_image(const std::string& path, const std::vector<ImageArray>&) {
  throw IoError(path,
                "this Strata was built without HDF5, which checkpoints need: install it (Debian: libhdf5-dev) and "
                "build again");
}

}  // namespace strata
