// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "core/base/error.h"
#include "core/ops/ops.h"
#include "core/tensor/host_copy.h"
#include "io/hdf5/element_type.h"
#include "io/hdf5/file_seal.h"
#include "io/hdf5_file.h"

namespace strata {
namespace {

/// What fits into an attribute beside its header.
constexpr std::size_t kLargestAttribute = 64512;

Hdf5Id links_with_groups_between() {
  Hdf5Id list(H5Pcreate(H5P_LINK_CREATE));
  H5Pset_create_intermediate_group(list, 1);
  return list;
}

/// As h5py makes them: equal content makes equal files.
Hdf5Id arrays_without_times() {
  Hdf5Id list(H5Pcreate(H5P_DATASET_CREATE));
  H5Pset_obj_track_times(list, false);
  return list;
}

std::size_t longest(const std::vector<std::string>& names) {
  std::size_t size = 1;
  for (const std::string& name : names) size = std::max(size, name.size());
  return size;
}

/// How many pieces of about equal length are needed so that each fits into an attribute.
std::size_t pieces_of(const std::vector<std::string>& names) {
  const std::size_t size = longest(names);
  std::size_t pieces = 1;
  while ((names.size() + pieces - 1) / pieces * size > kLargestAttribute) ++pieces;
  return pieces;
}

/// The disk has the bytes of `path` when this returns true.
bool synchronize(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool done = fsync(file) == 0 || errno == EINVAL;  // some file systems cannot, as for directories
  close(file);
  return done;
}

void write_attribute(hid_t group, const std::string& attribute, hid_t type, hid_t space, const void* values,
                     const std::string& path) {
  const std::string what = "cannot write the attribute " + attribute;
  const Hdf5Id id(H5Acreate2(group, attribute.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT));
  if (id < 0) throw_hdf5_error(path, what);
  if (values != nullptr) check_hdf5(H5Awrite(id, type, values), path, what);
}

Hdf5Id open_group(std::int64_t file, const std::string& group, const std::string& path) {
  return Hdf5Id(checked_id(H5Gopen2(file, group.c_str(), H5P_DEFAULT), path, "no group " + group));
}

/// A list of names in one attribute.
void write_piece(hid_t group, const std::string& attribute, const std::vector<std::string>& names,
                 const std::string& path) {
  const hsize_t count = names.size();
  const Hdf5Id space(H5Screate_simple(1, &count, nullptr));
  if (names.empty()) return write_attribute(group, attribute, H5T_IEEE_F64LE, space, nullptr, path);
  const std::size_t size = longest(names);
  const Hdf5Id type(H5Tcopy(H5T_C_S1));
  H5Tset_size(type, size);
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  std::string all(size * names.size(), '\0');
  for (std::size_t i = 0; i < names.size(); ++i) names[i].copy(all.data() + i * size, size);
  write_attribute(group, attribute, type, space, all.data(), path);
}

}  // namespace

Hdf5Writer::Hdf5Writer(const std::string& path) : path_(path), temporary_(path + ".part" + std::to_string(getpid())) {
  const QuietHdf5 quiet;
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code failed;
  if (!folder.empty()) std::filesystem::create_directories(folder, failed);
  if (failed) throw IoError(path, "its directory cannot be made: " + failed.message());
  file_ = H5Fcreate(temporary_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  if (file_ < 0) throw_hdf5_error(path_, "cannot be written");
}

Hdf5Writer::~Hdf5Writer() {
  if (file_ < 0) return;
  const QuietHdf5 quiet;
  H5Fclose(file_);
  std::remove(temporary_.c_str());
}

void Hdf5Writer::make_group(const std::string& group) {
  const QuietHdf5 quiet;
  const Hdf5Id made(H5Gcreate2(file_, group.c_str(), links_with_groups_between(), H5P_DEFAULT, H5P_DEFAULT));
  if (made < 0) throw_hdf5_error(path_, "cannot make the group " + group);
}

void Hdf5Writer::write_text(const std::string& group, const std::string& attribute, const std::string& text,
                            bool utf8) {
  const QuietHdf5 quiet;
  const Hdf5Id type(H5Tcopy(H5T_C_S1)), space(H5Screate(H5S_SCALAR));
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, utf8 ? H5T_CSET_UTF8 : H5T_CSET_ASCII);
  const char* value = text.c_str();
  write_attribute(open_group(file_, group, path_), attribute, type, space, &value, path_);
}

void Hdf5Writer::write_names(const std::string& group, const std::string& attribute,
                             const std::vector<std::string>& names) {
  const QuietHdf5 quiet;
  const Hdf5Id owner = open_group(file_, group, path_);
  const std::size_t pieces = pieces_of(names);
  if (pieces == 1) return write_piece(owner, attribute, names, path_);
  if (longest(names) > kLargestAttribute) throw IoError(path_, "a name in " + attribute + " is longer than 64 kB");
  // As numpy.array_split: the first pieces are one longer.
  auto from = names.begin();
  for (std::size_t i = 0; i < pieces; ++i) {
    const std::size_t count = names.size() / pieces + (i < names.size() % pieces ? 1 : 0);
    const auto to = from + static_cast<std::ptrdiff_t>(count);
    write_piece(owner, attribute + std::to_string(i), {from, to}, path_);
    from = to;
  }
}

void Hdf5Writer::write_array(const std::string& group, const std::string& name, const Tensor& value) {
  const Tensor stored = value.dtype() == Dtype::bfloat16 ? ops::cast(value, Dtype::float32) : value;
  const std::string bytes = host_copy(stored.eval(), stored.spec().bytes());
  const QuietHdf5 quiet;
  const std::string array = group + "/" + name;
  std::vector<hsize_t> dims;
  for (int i = 0; i < stored.rank(); ++i) dims.push_back(static_cast<hsize_t>(stored.shape()[i]));
  const Hdf5Id space(dims.empty() ? H5Screate(H5S_SCALAR)
                                  : H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr));
  const Hdf5Id links = links_with_groups_between(), kind = arrays_without_times();
  const Hdf5Id set(H5Dcreate2(file_, array.c_str(), element_type(stored.dtype()), space, links, kind, H5P_DEFAULT));
  if (set < 0) throw_hdf5_error(path_, "cannot make the array " + array);
  check_hdf5(H5Dwrite(set, element_type(stored.dtype()), H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()), path_,
             "cannot write the array " + array);
}

void Hdf5Writer::commit() {
  const QuietHdf5 quiet;
  const herr_t closed = H5Fclose(std::exchange(file_, -1));
  const bool done = closed >= 0 && seal_file(temporary_) && synchronize(temporary_) &&
                    std::rename(temporary_.c_str(), path_.c_str()) == 0;
  if (!done) {
    const std::string why = closed < 0 ? hdf5_error() : std::strerror(errno);
    std::remove(temporary_.c_str());
    throw IoError(path_, "cannot be written: " + why);
  }
  const std::filesystem::path folder = std::filesystem::path(path_).parent_path();
  synchronize(folder.empty() ? "." : folder.string());
}

}  // namespace strata
