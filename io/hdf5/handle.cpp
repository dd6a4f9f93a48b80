// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5/handle.h"

#include "core/base/error.h"
#include "core/base/library_versions.h"

namespace strata {
namespace {

std::string hdf5_version() {
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(release);
}

[[maybe_unused]] const bool version_is_known = (add_library_version("HDF5", hdf5_version()), true);

}  // namespace

std::string hdf5_error() {
  std::string text;
  const auto remember = [](unsigned depth, const H5E_error2_t* error, void* data) -> herr_t {
    if (depth == 0 && error->desc != nullptr) *static_cast<std::string*>(data) = error->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, remember, &text);
  return text;
}

void throw_hdf5_error(const std::string& path, const std::string& what) {
  const std::string cause = hdf5_error();
  throw IoError(path, cause.empty() ? what : what + ": " + cause);
}

}  // namespace strata
