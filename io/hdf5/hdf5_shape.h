// SPDX-License-Identifier: Apache-2.0
// Internal: the dimensions of arrays in HDF5 files.
#pragma once

#include <algorithm>
#include <vector>

#include "core/base/shape.h"
#include "io/hdf5/handle.h"

namespace strata {

inline Shape hdf5_shape(hid_t space) {
  const int rank = H5Sget_simple_extent_ndims(space);
  std::vector<hsize_t> dims(static_cast<std::size_t>(std::max(rank, 0)));
  if (rank > 0) H5Sget_simple_extent_dims(space, dims.data(), nullptr);
  return Shape(std::vector<Dim>(dims.begin(), dims.end()));
}

}  // namespace strata
