// SPDX-License-Identifier: Apache-2.0
#include "core/ops/onednn.h"

namespace strata {
namespace {

/// The library's handles for one run state: made once, pointed at the buffers before every run.
struct State {
  dnnl::stream stream;
  std::vector<dnnl::memory> memories;
  std::vector<dnnl_exec_arg_t> arguments;
};

class OnednnKernel final : public Kernel {
 public:
  OnednnKernel(dnnl::primitive primitive, std::vector<OnednnArgument> arguments, std::size_t scratch_bytes)
      : primitive_(std::move(primitive)), arguments_(std::move(arguments)), scratch_bytes_(scratch_bytes) {}

  std::size_t scratch_bytes() const override { return scratch_bytes_; }

  std::shared_ptr<void> make_state() const override {
    auto state = std::make_shared<State>(State{dnnl::stream(onednn_engine()), {}, {}});
    for (const OnednnArgument& argument : arguments_) {
      state->memories.emplace_back(argument.layout, onednn_engine(), nullptr);
      state->arguments.push_back({argument.id, state->memories.back().get()});
    }
    return state;
  }

  void run(const KernelArgs& args, Stream&) const override {
    auto& state = *static_cast<State*>(args.state);
    for (std::size_t i = 0; i < arguments_.size(); ++i) state.memories[i].set_data_handle(place(args, arguments_[i]));
    dnnl::error::wrap_c_api(dnnl_primitive_execute(primitive_.get(), state.stream.get(),
                                                   static_cast<int>(state.arguments.size()), state.arguments.data()),
                            "could not execute a oneDNN primitive");
  }

 private:
  static void* place(const KernelArgs& args, const OnednnArgument& argument) {
    switch (argument.side) {
      case OnednnArgument::input: return const_cast<void*>(args.inputs[argument.index]);
      case OnednnArgument::output: return args.outputs[argument.index];
      case OnednnArgument::scratch: break;
    }
    return args.scratch;
  }

  dnnl::primitive primitive_;
  std::vector<OnednnArgument> arguments_;
  std::size_t scratch_bytes_;
};

}  // namespace

const dnnl::engine& onednn_engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

std::shared_ptr<const Kernel> make_onednn_kernel(dnnl::primitive primitive, std::vector<OnednnArgument> arguments,
                                                 std::size_t scratch_bytes) {
  return std::make_shared<OnednnKernel>(std::move(primitive), std::move(arguments), scratch_bytes);
}

}  // namespace strata
