// SPDX-License-Identifier: Apache-2.0
// What kernels built on oneDNN primitives share. Internal: the only header that includes oneDNN.
#pragma once

#include <dnnl.hpp>

#include "core/ops/product.h"

namespace strata {

/// The one CPU engine of the process.
const dnnl::engine& onednn_engine();

/// One argument of a primitive: which argument, its layout, and where its bytes are.
struct OnednnArgument {
  int id;  // DNNL_ARG_...
  dnnl::memory::desc layout;
  enum Side { input, output, scratch } side;
  std::size_t at;  // the number of the kernel's input or output; bytes into the scratch memory
};

/// A primitive on the arguments it is given. Its scratchpad must be in user mode.
struct OnednnStep {
  dnnl::primitive primitive;
  std::vector<OnednnArgument> arguments;
};

/// Hands out a kernel's scratch memory in aligned pieces.
class OnednnScratch {
 public:
  /// Where a piece for this layout begins.
  std::size_t reserve(const dnnl::memory::desc& layout);
  /// The argument that gives a primitive its scratchpad.
  OnednnArgument scratchpad(const dnnl::memory::desc& layout) {
    return {DNNL_ARG_SCRATCHPAD, layout, OnednnArgument::scratch, reserve(layout)};
  }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t bytes_ = 0;
};

/// What runs before a kernel's first primitive or after its last; may be empty.
using OnednnHook = std::function<void(const KernelArgs&)>;

/// Attributes of a primitive whose scratchpad is the kernel's, with the epilogue's activation if oneDNN has it.
dnnl::primitive_attr onednn_attributes(const ProductEpilogue& epilogue = {});
/// The epilogue's activation, on output 0, if onednn_attributes() leaves it out.
OnednnHook onednn_finish(const ProductEpilogue& epilogue, const TensorSpec& output);

/// A kernel that executes `start`, the steps in order, `finish`.
std::shared_ptr<const Kernel> make_onednn_kernel(std::vector<OnednnStep> steps, std::size_t scratch_bytes,
                                                 OnednnHook finish = {}, OnednnHook start = {});

}  // namespace strata
