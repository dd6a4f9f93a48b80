// SPDX-License-Identifier: Apache-2.0
#include "core/ops/kernel.h"

#include "core/base/error.h"
#include "core/base/verbose.h"
#include "core/ops/registry.h"
#include "core/ops/widened_kernel.h"

namespace strata {
namespace {

std::string describe(const KernelRequest& request) {
  std::string text(request.op.name());
  for (const TensorSpec& spec : request.inputs) text += " " + spec.str();
  return text;
}

}  // namespace

ChosenKernel choose_kernel(const KernelRequest& request, const Device& device, std::string_view only) {
  std::string declined;
  for (const Candidate& candidate : OpRegistry::instance().at(request.op.name()).candidates) {
    if (candidate.device != device.kernels() || (!only.empty() && candidate.name != only)) continue;
    Prepared prepared = prepare(candidate, request);
    if (auto* kernel = std::get_if<std::shared_ptr<const Kernel>>(&prepared)) {
      std::string name = widens(candidate, request) ? "float32 via " : "";
      name += candidate.name;
      if (verbosity() > 0) verbose_line(describe(request).append(": ").append(name).append(declined));
      return {name, std::move(*kernel)};
    }
    declined += " (" + candidate.name + " declined: " + std::get<std::string>(prepared) + ")";
  }
  throw InternalError("No kernel on " + std::string(device.name()) + " for " + describe(request) + declined);
}

}  // namespace strata
