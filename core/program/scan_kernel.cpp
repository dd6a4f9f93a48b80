// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <optional>

#include "core/program/program.h"
#include "core/program/scan_op.h"

namespace strata {
namespace {

/// Runs the compiled body step by step. A carry passes from one buffer to the other of two, or through the stacked
/// output that collects it, so that nothing is copied.
class ScanKernel final : public Kernel {
 public:
  ScanKernel(const ScanOp& op, std::span<const TensorSpec> inputs)
      : inputs_(op.body().inputs.size()), reverse_(op.reverse()) {
    const ScanGraph& body = op.body();
    for (std::size_t c = 0; c < body.carries.size(); ++c) {
      carries_.push_back({.bytes = inputs[c].bytes(), .collected = {}, .scratch = scratch_bytes_});
      scratch_bytes_ += 2 * aligned(carries_.back().bytes);
    }
    std::vector<Tensor> results = body.next;
    for (std::size_t o = 0; o < body.outputs.size(); ++o) {
      if (collects_a_carry(body, o)) continue;
      outputs_.push_back(static_cast<int>(body.carries.size() + o));
      results.push_back(body.outputs[o]);
    }
    steps_ = inputs[body.carries.size()].shape[0];
    program_ = Program::compile(body.placeholders(), results, cpu_device());
  }

  std::shared_ptr<void> make_state() const override { return std::make_shared<RunState>(program_); }
  std::size_t scratch_bytes() const override { return scratch_bytes_; }

  void run(const KernelArgs& args, Stream& stream) const override {
    auto& state = *static_cast<RunState*>(args.state);
    for (std::size_t k = carries_.size() + inputs_; k < program_->inputs().size(); ++k) {
      state.bind_input(static_cast<int>(k), args.inputs[k]);
    }
    for (std::size_t c = 0; c < carries_.size(); ++c) {
      std::byte* first = steps_ > 0 ? before(args, c, 0) : args.output<std::byte>(static_cast<int>(c));
      std::memcpy(first, args.inputs[c], carries_[c].bytes);
    }
    for (Dim i = 0; i < steps_; ++i) {
      bind_step(args, state, i);
      state.run(stream);
    }
  }

 private:
  struct Carry {
    std::size_t bytes;
    std::optional<int> collected;  // the output that holds its values before all steps
    std::size_t scratch;           // where its two buffers are, if there is none
  };

  static std::size_t aligned(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

  bool collects_a_carry(const ScanGraph& body, std::size_t o) {
    for (std::size_t c = 0; c < carries_.size(); ++c) {
      if (carries_[c].collected || !body.outputs[o].same_as(body.carries[c])) continue;
      carries_[c].collected = static_cast<int>(body.carries.size() + o);
      return true;
    }
    return false;
  }

  /// The place in the sequences of the step that runs i-th.
  std::size_t at(Dim i) const { return static_cast<std::size_t>(reverse_ ? steps_ - 1 - i : i); }

  /// Where carry c is before the step that runs i-th.
  std::byte* before(const KernelArgs& args, std::size_t c, Dim i) const {
    const Carry& carry = carries_[c];
    if (carry.collected) return args.output<std::byte>(*carry.collected) + at(i) * carry.bytes;
    return static_cast<std::byte*>(args.scratch) + carry.scratch + (i % 2 == 0 ? 0 : aligned(carry.bytes));
  }

  void bind_step(const KernelArgs& args, RunState& state, Dim i) const {
    for (std::size_t c = 0; c < carries_.size(); ++c) {
      const int number = static_cast<int>(c);
      state.bind_input(number, before(args, c, i));
      state.bind_output(number, i + 1 == steps_ ? args.output<std::byte>(number) : before(args, c, i + 1));
    }
    for (std::size_t s = carries_.size(); s < carries_.size() + inputs_; ++s) {
      const int number = static_cast<int>(s);
      state.bind_input(number, args.input<std::byte>(number) + at(i) * program_->inputs()[s].bytes());
    }
    for (std::size_t o = 0; o < outputs_.size(); ++o) {
      const std::size_t result = carries_.size() + o;
      state.bind_output(static_cast<int>(result),
                        args.output<std::byte>(outputs_[o]) + at(i) * program_->outputs()[result].bytes());
    }
  }

  std::size_t inputs_;
  bool reverse_;
  Dim steps_ = 0;
  std::size_t scratch_bytes_ = 0;
  std::vector<Carry> carries_;
  std::vector<int> outputs_;  // of the op, that the program computes
  std::shared_ptr<const Program> program_;
};

}  // namespace

Prepared prepare_scan(const KernelRequest& request) {
  return std::make_shared<ScanKernel>(dynamic_cast<const ScanOp&>(request.op), request.inputs);
}

}  // namespace strata
