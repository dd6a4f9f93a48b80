// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <new>

#include "core/base/error.h"
#include "io/array_header.h"
#include "io/hdf5/element_type.h"
#include "io/hdf5/file_seal.h"
#include "io/hdf5/hdf5_shape.h"
#include "io/hdf5_file.h"

namespace strata {
namespace {

/// Texts of one attribute, of fixed or variable length.
std::vector<std::string> read_texts(hid_t attribute, const std::string& what, const std::string& path) {
  const Hdf5Id type(H5Aget_type(attribute)), space(H5Aget_space(attribute));
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  if (count <= 0) return {};  // an empty list has another type
  if (H5Tget_class(type) != H5T_STRING) throw IoError(path, what + ": expected text");
  std::vector<std::string> texts;
  if (H5Tis_variable_str(type) > 0) {
    std::vector<char*> values(static_cast<std::size_t>(count), nullptr);
    const Hdf5Id memory(H5Tcopy(H5T_C_S1));
    H5Tset_size(memory, H5T_VARIABLE);
    H5Tset_cset(memory, H5Tget_cset(type));
    check_hdf5(H5Aread(attribute, memory, values.data()), path, what + " cannot be read");
    for (const char* value : values) texts.emplace_back(value == nullptr ? "" : value);
    H5Dvlen_reclaim(memory, space, H5P_DEFAULT, values.data());
    return texts;
  }
  const std::size_t size = H5Tget_size(type);
  std::string all(size * static_cast<std::size_t>(count), '\0');
  check_hdf5(H5Aread(attribute, type, all.data()), path, what + " cannot be read");
  for (std::size_t at = 0; at < all.size(); at += size) {
    const std::string text = all.substr(at, size);
    texts.push_back(text.substr(0, std::min(text.find('\0'), text.size())));
  }
  return texts;
}

bool has_attribute(hid_t group, const std::string& attribute) { return H5Aexists(group, attribute.c_str()) > 0; }

std::vector<std::string> read_attribute(hid_t group, const std::string& attribute, const std::string& path) {
  const std::string what = "the attribute " + attribute;
  const Hdf5Id id(checked_id(H5Aopen(group, attribute.c_str(), H5P_DEFAULT), path, what + " cannot be opened"));
  return read_texts(id, what, path);
}

/// The bytes of an array that lie in the file, where they are there as they are: not packed, nor in other files.
std::size_t plain_bytes(hid_t set) {
  const Hdf5Id layout(H5Dget_create_plist(set));
  if (H5Pget_layout(layout) != H5D_CONTIGUOUS || H5Pget_external_count(layout) > 0) return 0;
  return H5Dget_storage_size(set);
}

std::size_t physical_memory() {
  return static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

Hdf5Reader::Hdf5Reader(const std::string& path) : path_(path) {
  const QuietHdf5 quiet;
  std::error_code failed;
  const auto status = std::filesystem::status(path, failed);
  if (!std::filesystem::exists(status)) throw IoError(path, "no such file");
  if (std::filesystem::is_directory(status)) throw IoError(path, "expected an HDF5 file, received a directory");
  if (H5Fis_hdf5(path.c_str()) == 0) throw IoError(path, "expected an HDF5 file: it does not begin as one");
  check_seal(path);
  file_ = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file_ < 0) throw_hdf5_error(path_, "cannot be opened as an HDF5 file");
}

Hdf5Reader::~Hdf5Reader() {
  const QuietHdf5 quiet;
  if (file_ >= 0) H5Fclose(file_);
}

bool Hdf5Reader::has_group(const std::string& group) const {
  const QuietHdf5 quiet;
  return Hdf5Id(H5Gopen2(file_, group.c_str(), H5P_DEFAULT)) >= 0;
}

std::vector<std::string> Hdf5Reader::members(const std::string& group) const {
  const QuietHdf5 quiet;
  const std::string what = "the members of the group " + group + " cannot be read";
  const Hdf5Id owner(checked_id(H5Gopen2(file_, group.c_str(), H5P_DEFAULT), path_, "no group " + group));
  H5G_info_t info{};
  check_hdf5(H5Gget_info(owner, &info), path_, what);
  std::vector<std::string> names;
  for (hsize_t i = 0; i < info.nlinks; ++i) {
    const ssize_t size = H5Lget_name_by_idx(owner, ".", H5_INDEX_NAME, H5_ITER_INC, i, nullptr, 0, H5P_DEFAULT);
    if (size < 0) throw_hdf5_error(path_, what);
    std::string name(static_cast<std::size_t>(size), '\0');
    H5Lget_name_by_idx(owner, ".", H5_INDEX_NAME, H5_ITER_INC, i, name.data(), name.size() + 1, H5P_DEFAULT);
    names.push_back(std::move(name));
  }
  return names;
}

std::optional<std::string> Hdf5Reader::text(const std::string& group, const std::string& attribute) const {
  const QuietHdf5 quiet;
  const Hdf5Id owner(checked_id(H5Gopen2(file_, group.c_str(), H5P_DEFAULT), path_, "no group " + group));
  if (!has_attribute(owner, attribute)) return {};
  const auto texts = read_attribute(owner, attribute, path_);
  return texts.empty() ? "" : texts[0];
}

std::optional<std::vector<std::string>> Hdf5Reader::names(const std::string& group,
                                                          const std::string& attribute) const {
  const QuietHdf5 quiet;
  const Hdf5Id owner(checked_id(H5Gopen2(file_, group.c_str(), H5P_DEFAULT), path_, "no group " + group));
  if (has_attribute(owner, attribute)) return read_attribute(owner, attribute, path_);
  std::vector<std::string> all;
  std::size_t piece = 0;
  for (; has_attribute(owner, attribute + std::to_string(piece)); ++piece) {
    const auto names = read_attribute(owner, attribute + std::to_string(piece), path_);
    all.insert(all.end(), names.begin(), names.end());
  }
  if (piece == 0) return {};
  return all;
}

Tensor Hdf5Reader::array(const std::string& group, const std::string& name) const {
  const QuietHdf5 quiet;
  const std::string array = group + "/" + name, what = "the array " + array;
  const Hdf5Id set(checked_id(H5Dopen2(file_, array.c_str(), H5P_DEFAULT), path_, what + " is not there"));
  const Hdf5Id type(H5Dget_type(set)), space(H5Dget_space(set));
  const TensorSpec spec{hdf5_shape(space), dtype_of_stored(type, path_, array)};
  const std::size_t size = make_array_header(path_, spec, 0, array).data_bytes;
  std::error_code failed;
  if (plain_bytes(set) > std::filesystem::file_size(path_, failed)) {
    throw IoError(path_, what + " is larger than the file: " + spec.str());
  }
  // Packed, or never written, an array of any size takes next to nothing in a file.
  if (size > physical_memory()) throw IoError(path_, what + " does not fit into memory: " + spec.str());
  try {
    std::string bytes(size, '\0');
    check_hdf5(H5Dread(set, element_type(spec.dtype), H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()), path_,
               what + " cannot be read");
    return constant_bytes(bytes.data(), bytes.size(), spec);
  } catch (const std::bad_alloc&) {
    throw IoError(path_, what + " does not fit into memory: " + spec.str());
  }
}

}  // namespace strata
