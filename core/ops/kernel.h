// SPDX-License-Identifier: Apache-2.0
// Kernels: how an op is computed on a device. Each op names its candidates in order, the plain reference last; the
// first that does not decline runs. The choice is a pure function of op, shapes, dtypes and instruction set.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/tensor/node.h"

namespace strata {

/// What one run of a kernel sees. Outputs never overlap inputs, except where the kernel says may_overwrite().
struct KernelArgs {
  const void* const* inputs;
  void* const* outputs;
  void* scratch;  // Kernel::scratch_bytes() bytes, 64-byte aligned, undefined contents
  void* state;    // what Kernel::make_state() returned for this run state

  template <class T>
  const T* input(int i) const {
    return static_cast<const T*>(inputs[i]);
  }
  template <class T>
  T* output(int i = 0) const {
    return static_cast<T*>(outputs[i]);
  }
};

/// A prepared kernel for fixed shapes. Immutable: many threads run it at once, each with its own KernelArgs.
class Kernel {
 public:
  virtual ~Kernel() = default;
  /// Allocates nothing. The stream is the one the launch was enqueued into.
  virtual void run(const KernelArgs& args, Stream& stream) const = 0;
  virtual std::size_t scratch_bytes() const { return 0; }
  /// Per-run mutable objects (library handles); null when there are none.
  virtual std::shared_ptr<void> make_state() const { return nullptr; }
  /// Whether output `output` may lie exactly on input `input`.
  virtual bool may_overwrite(int /*input*/, int /*output*/) const { return false; }
};

/// The kernel, or the reason for declining.
using Prepared = std::variant<std::shared_ptr<const Kernel>, std::string>;

struct KernelRequest {
  const Op& op;
  std::span<const TensorSpec> inputs;
  std::span<const TensorSpec> outputs;
};

struct Candidate {
  std::string name;    // "xsmm", "onednn", "reference"
  std::string device;  // Device::kernels()
  std::function<Prepared(const KernelRequest&)> prepare;
  /// Whether it serves float16 and bfloat16 itself. Otherwise it is asked for a float32 kernel, which then runs between
  /// conversions.
  bool takes_halves = false;
};

/// A kernel from a function `f(const KernelArgs&)`.
template <class F>
std::shared_ptr<const Kernel> make_kernel(F f, std::size_t scratch_bytes = 0, bool overwrites_inputs = false) {
  class FunctionKernel final : public Kernel {
   public:
    FunctionKernel(F f, std::size_t scratch, bool overwrites)
        : f_(std::move(f)), scratch_(scratch), overwrites_(overwrites) {}
    void run(const KernelArgs& args, Stream&) const override { f_(args); }
    std::size_t scratch_bytes() const override { return scratch_; }
    bool may_overwrite(int, int) const override { return overwrites_; }

   private:
    F f_;
    std::size_t scratch_;
    bool overwrites_;
  };
  return std::make_shared<FunctionKernel>(std::move(f), scratch_bytes, overwrites_inputs);
}

struct ChosenKernel {
  std::string candidate;
  std::shared_ptr<const Kernel> kernel;
};

/// The first candidate that accepts. With STRATA_VERBOSE=1 says on stderr which, and why those before it declined.
/// `only` restricts the choice to one candidate by name ("" = any). Throws InternalError when none accepts.
ChosenKernel choose_kernel(const KernelRequest& request, const Device& device, std::string_view only = "");

}  // namespace strata
