// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5/hdf5_rows.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "io/array_header.h"
#include "io/hdf5/element_type.h"
#include "io/hdf5/hdf5_shape.h"

namespace strata::loaders {
namespace {

constexpr std::size_t kMostOpen = 16;

bool has_filters(hid_t array) { return H5Pget_nfilters(Hdf5Id(H5Dget_create_plist(array))) > 0; }

/// The library reads fill values where a file of a virtual array is not there. Where names hold numbers (%b), or files
/// are looked for in other places, it alone knows which they are.
void require_sources(hid_t array, const std::string& path) {
  const Hdf5Id layout(H5Dget_create_plist(array));
  if (H5Pget_layout(layout) != H5D_VIRTUAL || std::getenv("HDF5_VDS_PREFIX") != nullptr) return;
  std::size_t count = 0;
  check_hdf5(H5Pget_virtual_count(layout, &count), path, "its sources cannot be read");
  std::set<std::string> names;
  for (std::size_t i = 0; i < count; ++i) {
    const ssize_t size = H5Pget_virtual_filename(layout, i, nullptr, 0);
    if (size < 0) throw_hdf5_error(path, "its sources cannot be read");
    std::string name(static_cast<std::size_t>(size), '\0');
    H5Pget_virtual_filename(layout, i, name.data(), name.size() + 1);
    if (name != "." && name.find('%') == std::string::npos) names.insert(name);
  }
  for (const std::string& name : names) {
    std::error_code ignored;
    const auto beside = std::filesystem::path(path).parent_path() / name;
    if (std::filesystem::exists(beside, ignored) || std::filesystem::exists(name, ignored)) continue;
    throw IoError(path, "expected the file " + name + " of a virtual array, received nothing there");
  }
}

/// 1 for arrays that are not stored in chunks.
Dim stored_chunk_rows(hid_t array, int rank) {
  const Hdf5Id layout(H5Dget_create_plist(array));
  if (H5Pget_layout(layout) != H5D_CHUNKED) return 1;
  std::vector<hsize_t> chunk(static_cast<std::size_t>(rank));
  if (H5Pget_chunk(layout, rank, chunk.data()) < 0) return 1;
  return std::max<Dim>(static_cast<Dim>(chunk[0]), 1);
}

}  // namespace

Hdf5Rows::Hdf5Rows(const std::vector<std::string>& paths, const std::vector<std::string>& arrays)
    : paths_(paths), arrays_(arrays) {
  if (paths_.empty()) throw ConfigError("loaders::hdf5: expected at least one file, received none");
  const QuietHdf5 quiet;
  for (std::size_t f = 0; f < paths_.size(); ++f) look_into(f);
}

std::size_t Hdf5Rows::file_of(Dim row) const {
  return static_cast<std::size_t>(std::upper_bound(first_.begin(), first_.end(), row) - first_.begin()) - 1;
}

TensorSpec Hdf5Rows::spec_of(const Open& file, std::size_t array) const {
  const hid_t set = file.arrays[array];
  const std::string& path = paths_[file.index];
  const TensorSpec spec{hdf5_shape(Hdf5Id(H5Dget_space(set))),
                        dtype_of_stored(Hdf5Id(H5Dget_type(set)), path, arrays_[array])};
  make_array_header(path, spec, 0, arrays_[array]);
  if (spec.shape.rank() > 0) return spec;
  throw IoError(path,
                "the array " + arrays_[array] + ": expected samples along a first dimension, received a single number");
}

void Hdf5Rows::look_into(std::size_t index) {
  const Open& file = opened(index);
  for (const Hdf5Id& array : file.arrays) require_sources(array, paths_[index]);
  Dim count = -1;
  for (std::size_t k = 0; k < arrays_.size(); ++k) {
    const TensorSpec spec = spec_of(file, k);
    const TensorSpec row{spec.shape.slice(1, spec.shape.rank()), spec.dtype};
    if (count < 0) count = spec.shape[0];
    if (spec.shape[0] != count) {
      throw IoError(paths_[index], "expected arrays of equally many samples, received " + std::to_string(count) +
                                       " in " + arrays_[0] + " and " + std::to_string(spec.shape[0]) + " in " +
                                       arrays_[k]);
    }
    if (index == 0) rows_.push_back(row);
    if (rows_[k] != row) {
      throw IoError(paths_[index], "the array " + arrays_[k] + ": expected samples of " + rows_[k].str() + " as in " +
                                       paths_[0] + ", received " + row.str());
    }
    packed_ = packed_ || has_filters(file.arrays[k]);
    if (index == 0 && k == 0) chunk_rows_ = stored_chunk_rows(file.arrays[k], spec.shape.rank());
  }
  first_.push_back(first_.back() + count);
}

Hdf5Rows::Open Hdf5Rows::open(std::size_t index) const {
  const std::string& path = paths_[index];
  std::error_code failed;
  const auto status = std::filesystem::status(path, failed);
  if (!std::filesystem::exists(status)) throw IoError(path, "no such file");
  if (std::filesystem::is_directory(status)) throw IoError(path, "expected an HDF5 file, received a directory");
  // For a few small samples, such as labels, the library would read 64 kB each time.
  const Hdf5Id of_file(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_sieve_buf_size(of_file, 0);
  Open file{index, Hdf5Id(H5Fopen(path.c_str(), H5F_ACC_RDONLY, of_file)), {}};
  if (file.file < 0) throw_hdf5_error(path, "cannot be opened as an HDF5 file");
  // Chunks are kept by who reads them. Without the library's cache, rows of an array without filters are read alone.
  const Hdf5Id access(H5Pcreate(H5P_DATASET_ACCESS));
  H5Pset_chunk_cache(access, 0, 0, 0);
  for (const std::string& array : arrays_) {
    file.arrays.emplace_back(
        checked_id(H5Dopen2(file.file, array.c_str(), access), path, "the array " + array + " is not there"));
  }
  return file;
}

const Hdf5Rows::Open& Hdf5Rows::opened(std::size_t index) const {
  const auto found = std::find_if(open_.begin(), open_.end(), [&](const Open& file) { return file.index == index; });
  if (found != open_.end()) {
    open_.splice(open_.begin(), open_, found);
  } else {
    open_.push_front(open(index));
    if (open_.size() > kMostOpen) open_.pop_back();
  }
  return open_.front();
}

void Hdf5Rows::read(std::size_t file, std::size_t array, IndexRange rows, std::byte* to) const {
  const QuietHdf5 quiet;
  const Open& from = opened(file);
  const TensorSpec& row = rows_[array];
  const auto count = static_cast<hsize_t>(rows.size());
  std::vector<hsize_t> start{static_cast<hsize_t>(rows.first)}, extent{count};
  for (const Dim dim : row.shape) {
    start.push_back(0);
    extent.push_back(static_cast<hsize_t>(dim));
  }
  const std::string& path = paths_[file];
  const auto what = [&] {
    return "rows " + std::to_string(rows.first) + " to " + std::to_string(rows.last - 1) + " of the array " +
           arrays_[array] + " cannot be read";
  };
  if (row.bytes() == 0) return;
  const Hdf5Id stored(H5Dget_space(from.arrays[array]));
  const Hdf5Id memory(H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr));
  if (H5Sselect_hyperslab(stored, H5S_SELECT_SET, start.data(), nullptr, extent.data(), nullptr) < 0) {
    throw_hdf5_error(path, what());
  }
  if (H5Dread(from.arrays[array], element_type(row.dtype), memory, stored, H5P_DEFAULT, to) < 0) {
    throw_hdf5_error(path, what());
  }
  bytes_read_.fetch_add(static_cast<std::int64_t>(count * row.bytes()), std::memory_order_relaxed);
}

}  // namespace strata::loaders
