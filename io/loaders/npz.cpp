// SPDX-License-Identifier: Apache-2.0
#include "io/npz.h"

#include "core/base/error.h"
#include "core/training/zipped_source.h"
#include "io/loaders/loaders.h"
#include "io/loaders/record_files.h"

namespace strata::loaders {
namespace {

/// Read sample by sample where the file has it plain, else as a whole.
SampleSourceRef source_of(const std::string& path, const std::string& name,
                          const std::map<std::string, NpzEntry>& entries) {
  const auto found = entries.find(name);
  if (found == entries.end()) throw IoError(path, "expected an array \"" + name + "\"");
  const auto& [spec, packed, begin] = found->second;
  if (spec.shape.rank() == 0) {
    throw IoError(path, "array " + name + ": expected samples along a first dimension, received a single number");
  }
  if (packed) return Dataset::from_tensor_slices(read_npz_array(path, name)).source();
  return make_record_source({{path, begin, spec.shape[0]}}, {spec.shape.slice(1, spec.shape.rank()), spec.dtype});
}

}  // namespace

Dataset npz(const std::string& path, const NpzOptions& options) {
  const auto entries = list_npz(path);
  const auto sources = [&](const std::vector<std::string>& names) {
    std::vector<NamedSource> list;
    for (const std::string& name : names) list.push_back({source_of(path, name, entries), options.named ? name : ""});
    return list;
  };
  if (options.x.empty()) throw ConfigError("loaders::npz: expected at least one array x, received none");
  return Dataset::from_source(
      make_zipped_source(sources(options.x), sources(options.y), sources(options.sample_weight)));
}

}  // namespace strata::loaders
