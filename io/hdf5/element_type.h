// SPDX-License-Identifier: Apache-2.0
// Internal: the types of arrays in HDF5 files.
#pragma once

#include "core/base/dtype.h"
#include "io/hdf5/handle.h"

namespace strata {

/// How elements of a type are stored, little-endian: those of h5py.
Hdf5Id stored_type(Dtype dtype);
/// The same as they lie in memory.
Hdf5Id memory_type(Dtype dtype);
/// The type of tensors that arrays of `type` become; throws IoError for one that has no such type, naming `path` and
/// `array`.
Dtype dtype_of_stored(hid_t type, const std::string& path, const std::string& array);

}  // namespace strata
