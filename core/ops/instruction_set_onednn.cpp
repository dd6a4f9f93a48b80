// SPDX-License-Identifier: Apache-2.0
#include <dnnl.h>
#include <dnnl_debug.h>
#include <fmt/format.h>

#include <string_view>

#include "core/ops/instruction_sets.h"

namespace strata {

std::string onednn_instruction_set() {
  const dnnl_version_t& version = *dnnl_version();
  std::string_view name = dnnl_cpu_isa2str(dnnl_get_effective_cpu_isa());
  constexpr std::string_view kPrefix = "cpu_isa_";
  if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
  return fmt::format("oneDNN {}.{}.{} for {}", version.major, version.minor, version.patch, name);
}

}  // namespace strata
