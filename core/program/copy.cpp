// SPDX-License-Identifier: Apache-2.0
// copy: the same bytes in memory of their own. Compilation inserts it where an output must not share memory.
#include <cstring>

#include "core/ops/ops.h"
#include "core/ops/registry.h"
#include "core/program/copy.h"

namespace strata {

std::vector<Gradient> CopyOp::gradient(const GradientArgs& args) const { return {{args.grad(), {}}}; }

Candidate copy_candidate() {
  const auto prepare = [](const KernelRequest& request) -> Prepared {
    return make_kernel([bytes = request.outputs[0].bytes()](const KernelArgs& args) {
      std::memcpy(args.output<std::byte>(), args.input<std::byte>(0), bytes);
    });
  };
  return {"reference", "cpu", prepare, true};
}

void register_copy(OpRegistry& registry) {
  const auto build = [](const std::vector<Tensor>& x) { return apply_op(std::make_shared<CopyOp>(), x); };
  registry.add({"copy", {copy_candidate()}, {{"copy", {{{{3, 4}, Dtype::float32}}}, build}}});
}

}  // namespace strata
