// SPDX-License-Identifier: Apache-2.0
#include "io/npz.h"

#include "core/base/error.h"
#include "core/training/zipped_source.h"
#include "io/loaders/loaders.h"
#include "io/loaders/record_files.h"

namespace strata::loaders {
namespace {

/// Read sample by sample where the file has it plain, else as a whole.
SampleSourceRef source_of(const std::string& path, const std::string& name, const NpzEntry& entry) {
  if (!entry.packed) return make_array_source(path, entry.spec, entry.begin, {}, name);
  sample_of(path, entry.spec, name);
  return Dataset::from_tensor_slices(read_npz_array(path, name)).source();
}

}  // namespace

Dataset npz(const std::string& path, const NpzOptions& options) {
  if (options.x.empty()) throw ConfigError("loaders::npz: expected at least one array x, received none");
  std::set<std::string> all;
  for (const auto* names : {&options.x, &options.y, &options.sample_weight}) all.insert(names->begin(), names->end());
  const auto entries = find_in_npz(path, all);
  const auto sources = [&](const std::vector<std::string>& names) {
    std::vector<NamedSource> list;
    for (const std::string& name : names)
      list.push_back({source_of(path, name, entries.at(name)), options.named ? name : ""});
    return list;
  };
  return Dataset::from_source(
      make_zipped_source(sources(options.x), sources(options.y), sources(options.sample_weight)));
}

}  // namespace strata::loaders
