// SPDX-License-Identifier: Apache-2.0
#include "io/shard_image.h"

#include <algorithm>

#include "io/hdf5/element_type.h"
#include "io/hdf5/handle.h"

namespace strata {
namespace {

/// How much the memory of a file that is being made grows at a time.
constexpr std::size_t kIncrement = std::size_t{1} << 20;

/// A file that is memory only.
Hdf5Id new_file(const std::string& path) {
  const Hdf5Id access(H5Pcreate(H5P_FILE_ACCESS));
  check_hdf5(H5Pset_fapl_core(access, kIncrement, false), path, "no file in memory can be made");
  return Hdf5Id(checked_id(H5Fcreate("shard", H5F_ACC_TRUNC, H5P_DEFAULT, access), path, "no file can be made"));
}

Hdf5Id stored_type(Dtype dtype) {
  return dtype == Dtype::bfloat16 ? Hdf5Id(H5Tcopy(H5T_NATIVE_UINT16)) : element_type(dtype);
}

/// Its place is settled at once, its elements are not touched, and there is no time of its making.
Hdf5Id make_array(hid_t file, const ImageArray& array, const std::string& path) {
  std::vector<hsize_t> dims;
  for (const Dim dim : array.spec.shape.dims()) dims.push_back(static_cast<hsize_t>(dim));
  const Hdf5Id space(dims.empty() ? H5Screate(H5S_SCALAR)
                                  : H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr));
  const Hdf5Id links(H5Pcreate(H5P_LINK_CREATE)), kind(H5Pcreate(H5P_DATASET_CREATE));
  H5Pset_create_intermediate_group(links, 1);
  H5Pset_obj_track_times(kind, false);
  H5Pset_alloc_time(kind, H5D_ALLOC_TIME_EARLY);
  H5Pset_fill_time(kind, H5D_FILL_TIME_NEVER);
  return Hdf5Id(
      checked_id(H5Dcreate2(file, array.name.c_str(), stored_type(array.spec.dtype), space, links, kind, H5P_DEFAULT),
                 path, "cannot make the array " + array.name));
}

}  // namespace

ShardImage make_shard_image(const std::string& path, const std::vector<ImageArray>& arrays) {
  const QuietHdf5 quiet;
  ShardImage image;
  const Hdf5Id file = new_file(path);
  for (const ImageArray& array : arrays) {
    const Hdf5Id set = make_array(file, array, path);
    const bool empty = array.spec.shape.elements() == 0;
    const haddr_t offset = empty ? 0 : H5Dget_offset(set);
    if (offset == HADDR_UNDEF) throw_hdf5_error(path, "the array " + array.name + " has no place");
    image.offsets.push_back(static_cast<std::size_t>(offset));
  }
  check_hdf5(H5Fflush(file, H5F_SCOPE_GLOBAL), path, "cannot be laid out");
  const ssize_t size = H5Fget_file_image(file, nullptr, 0);
  if (size < 0) throw_hdf5_error(path, "cannot be laid out");
  image.bytes.resize(static_cast<std::size_t>(size));
  if (H5Fget_file_image(file, image.bytes.data(), image.bytes.size()) < 0) throw_hdf5_error(path, "cannot be laid out");
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const auto begin = image.bytes.begin() + static_cast<std::ptrdiff_t>(image.offsets[i]);
    std::fill(begin, begin + static_cast<std::ptrdiff_t>(arrays[i].spec.bytes()), std::byte{0});
  }
  return image;
}

}  // namespace strata
