// SPDX-License-Identifier: Apache-2.0
// Internal: the types of arrays in HDF5 files.
#pragma once

#include "core/base/dtype.h"
#include "io/hdf5/handle.h"

namespace strata {

/// Elements as this machine has them, which is also how h5py stores them. bfloat16, which HDF5 does not have, is
/// refused with InternalError.
Hdf5Id element_type(Dtype dtype);
/// The type of tensors that arrays of `type` become; throws IoError for one that has no such type, naming `path` and
/// `array`.
Dtype dtype_of_stored(hid_t type, const std::string& path, const std::string& array);

}  // namespace strata
