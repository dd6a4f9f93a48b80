// SPDX-License-Identifier: Apache-2.0
// Stands in where the HDF5 library was not found: every file is refused.
#include "io/hdf5_file.h"

#include "core/base/error.h"
#include "io/loaders/loaders.h"

namespace strata {
namespace {

[[noreturn]] void refuse(const std::string& path) {
  throw IoError(path,
                "this Strata was built without HDF5, which model files need: install it (Debian: libhdf5-dev) "
                "and build again");
}

}  // namespace

Hdf5Writer::Hdf5Writer(const std::string& path) { refuse(path); }
Hdf5Writer::~Hdf5Writer() = default;
void Hdf5Writer::make_group(const std::string&) {}
void Hdf5Writer::write_text(const std::string&, const std::string&, const std::string&, bool) {}
void Hdf5Writer::write_names(const std::string&, const std::string&, const std::vector<std::string>&) {}
void Hdf5Writer::write_array(const std::string&, const std::string&, const Tensor&) {}
void Hdf5Writer::commit() {}

Hdf5Reader::Hdf5Reader(const std::string& path) { refuse(path); }
Hdf5Reader::~Hdf5Reader() = default;
std::vector<std::string> Hdf5Reader::members(const std::string&) const { return {}; }
bool Hdf5Reader::has_group(const std::string&) const { return false; }
std::optional<std::string> Hdf5Reader::text(const std::string&, const std::string&) const { return {}; }
std::optional<std::vector<std::string>> Hdf5Reader::names(const std::string&, const std::string&) const { return {}; }
Tensor Hdf5Reader::array(const std::string&, const std::string&) const { return {}; }

Dataset loaders::hdf5(const std::vector<std::string>& paths, const Hdf5Options&) {
  refuse(paths.empty() ? "an HDF5 file" : paths[0]);
}

}  // namespace strata
