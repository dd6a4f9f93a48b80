// SPDX-License-Identifier: Apache-2.0
#include "core/ops/widened_kernel.h"

#include <algorithm>

#include "core/ops/elementwise.h"

namespace strata {
namespace {

std::vector<TensorSpec> widened_specs(std::span<const TensorSpec> specs) {
  std::vector<TensorSpec> wide(specs.begin(), specs.end());
  for (TensorSpec& spec : wide) spec.dtype = widened(spec.dtype);
  return wide;
}

class WidenedKernel final : public Kernel {
 public:
  WidenedKernel(std::shared_ptr<const Kernel> kernel, std::span<const TensorSpec> inputs,
                std::span<const TensorSpec> outputs)
      : kernel_(std::move(kernel)) {
    take(kernel_->scratch_bytes());
    inputs_ = operands(inputs, [](Dtype half) { return cast_loop(half, Dtype::float32); });
    outputs_ = operands(outputs, [](Dtype half) { return cast_loop(Dtype::float32, half); });
    pointers_ = take((inputs_.size() + outputs_.size()) * sizeof(void*));
  }

  std::size_t scratch_bytes() const override { return bytes_; }
  std::shared_ptr<void> make_state() const override { return kernel_->make_state(); }

  // Halves are read before the inner kernel writes, and written after it has read.
  bool may_overwrite(int input, int output) const override {
    return inputs_[static_cast<std::size_t>(input)].convert != nullptr ||
           outputs_[static_cast<std::size_t>(output)].convert != nullptr || kernel_->may_overwrite(input, output);
  }

  void run(const KernelArgs& args, Stream& stream) const override {
    auto* scratch = static_cast<std::byte*>(args.scratch);
    auto* inputs = reinterpret_cast<const void**>(scratch + pointers_);
    auto* outputs = reinterpret_cast<void**>(scratch + pointers_) + inputs_.size();
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const Operand& operand = inputs_[i];
      inputs[i] = args.inputs[i];
      if (operand.convert == nullptr) continue;
      operand.convert(&args.inputs[i], scratch + operand.place, operand.elements);
      inputs[i] = scratch + operand.place;
    }
    for (std::size_t o = 0; o < outputs_.size(); ++o) {
      outputs[o] = outputs_[o].convert == nullptr ? args.outputs[o] : scratch + outputs_[o].place;
    }
    kernel_->run({inputs, outputs, scratch, args.state}, stream);
    for (std::size_t o = 0; o < outputs_.size(); ++o) {
      const void* wide = outputs[o];
      if (outputs_[o].convert != nullptr) outputs_[o].convert(&wide, args.outputs[o], outputs_[o].elements);
    }
  }

 private:
  struct Operand {
    ElementwiseLoop convert = nullptr;  // null for those that the inner kernel sees as they are
    std::size_t place = 0;              // in scratch memory
    Dim elements = 0;
  };

  std::size_t take(std::size_t bytes) {
    const std::size_t place = bytes_;
    bytes_ += (bytes + 63) / 64 * 64;
    return place;
  }

  template <class Loop>
  std::vector<Operand> operands(std::span<const TensorSpec> specs, const Loop& loop) {
    std::vector<Operand> result;
    for (const TensorSpec& spec : specs) {
      const Dim elements = spec.shape.elements();
      if (!is_half(spec.dtype)) result.emplace_back();
      else result.push_back({loop(spec.dtype), take(static_cast<std::size_t>(elements) * sizeof(float)), elements});
    }
    return result;
  }

  std::shared_ptr<const Kernel> kernel_;
  std::size_t bytes_ = 0;
  std::vector<Operand> inputs_, outputs_;
  std::size_t pointers_;
};

}  // namespace

bool widens(const Candidate& candidate, const KernelRequest& request) {
  const auto half = [](const TensorSpec& spec) { return is_half(spec.dtype); };
  const bool any = std::any_of(request.inputs.begin(), request.inputs.end(), half) ||
                   std::any_of(request.outputs.begin(), request.outputs.end(), half);
  return any && !candidate.takes_halves && candidate.device == "cpu";
}

Prepared prepare(const Candidate& candidate, const KernelRequest& request) {
  if (!widens(candidate, request)) return candidate.prepare(request);
  const std::vector<TensorSpec> inputs = widened_specs(request.inputs), outputs = widened_specs(request.outputs);
  Prepared prepared = candidate.prepare({request.op, inputs, outputs});
  auto* kernel = std::get_if<std::shared_ptr<const Kernel>>(&prepared);
  if (kernel != nullptr) *kernel = std::make_shared<WidenedKernel>(*kernel, request.inputs, request.outputs);
  return prepared;
}

}  // namespace strata
