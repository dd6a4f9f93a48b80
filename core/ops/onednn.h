// SPDX-License-Identifier: Apache-2.0
// What kernels built on oneDNN primitives share. Internal: the only header that includes oneDNN.
#pragma once

#include <dnnl.hpp>

#include "core/ops/kernel.h"

namespace strata {

/// The one CPU engine of the process.
const dnnl::engine& onednn_engine();

/// One argument of a primitive: which argument, its layout, and which kernel input or output its bytes are.
struct OnednnArgument {
  int id;  // DNNL_ARG_...
  dnnl::memory::desc layout;
  enum Side { input, output, scratch } side;
  int index;
};

/// A kernel that executes one primitive on the given arguments. The scratchpad must be in user mode.
std::shared_ptr<const Kernel> make_onednn_kernel(dnnl::primitive primitive, std::vector<OnednnArgument> arguments,
                                                 std::size_t scratch_bytes);

}  // namespace strata
