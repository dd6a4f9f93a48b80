// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5/element_type.h"

#include "core/base/error.h"

namespace strata {
namespace {

/// IEEE 754 binary16: HDF5 has no name for it.
Hdf5Id half_type() {
  Hdf5Id type(H5Tcopy(H5T_NATIVE_FLOAT));
  H5Tset_fields(type, 15, 10, 5, 0, 10);
  H5Tset_size(type, 2);
  H5Tset_ebias(type, 15);
  return type;
}

/// h5py's booleans.
Hdf5Id boolean_type() {
  Hdf5Id type(H5Tenum_create(H5T_NATIVE_INT8));
  signed char value = 0;
  H5Tenum_insert(type, "FALSE", &value);
  value = 1;
  H5Tenum_insert(type, "TRUE", &value);
  return type;
}

Dtype integer_dtype(hid_t type) {
  const std::size_t size = H5Tget_size(type);
  if (size == 1 && H5Tget_sign(type) == H5T_SGN_NONE) return Dtype::uint8;
  return size < 4 || (size == 4 && H5Tget_sign(type) != H5T_SGN_NONE) ? Dtype::int32 : Dtype::int64;
}

}  // namespace

Hdf5Id element_type(Dtype dtype) {
  switch (dtype) {
    case Dtype::boolean: return boolean_type();
    case Dtype::uint8: return Hdf5Id(H5Tcopy(H5T_NATIVE_UINT8));
    case Dtype::int32: return Hdf5Id(H5Tcopy(H5T_NATIVE_INT32));
    case Dtype::int64: return Hdf5Id(H5Tcopy(H5T_NATIVE_INT64));
    case Dtype::float16: return half_type();
    case Dtype::float32: return Hdf5Id(H5Tcopy(H5T_NATIVE_FLOAT));
    case Dtype::float64: return Hdf5Id(H5Tcopy(H5T_NATIVE_DOUBLE));
    case Dtype::bfloat16: break;
  }
  throw InternalError("HDF5 has no type for " + std::string(to_string(dtype)));
}

Dtype dtype_of_stored(hid_t type, const std::string& path, const std::string& array) {
  const std::size_t size = H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_FLOAT:
      if (size == 2) return Dtype::float16;
      if (size == 4) return Dtype::float32;
      if (size == 8) return Dtype::float64;
      break;
    case H5T_INTEGER:
      if (size <= 8) return integer_dtype(type);
      break;
    case H5T_ENUM:
      if (size == 1) return Dtype::boolean;
      break;
    default: break;
  }
  throw IoError(path, "array " + array +
                          " has elements of a type that is not read here: expected floating numbers of "
                          "2, 4 or 8 bytes, integers or booleans");
}

}  // namespace strata
