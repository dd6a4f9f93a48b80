// SPDX-License-Identifier: Apache-2.0
#include "core/ops/onednn.h"

namespace strata {
namespace {

/// The library's handles for one run state: made once, pointed at the buffers before every run.
struct State {
  struct Step {
    std::vector<dnnl::memory> memories;
    std::vector<dnnl_exec_arg_t> arguments;
  };
  dnnl::stream stream;
  std::vector<Step> steps;
};

class OnednnKernel final : public Kernel {
 public:
  OnednnKernel(std::vector<OnednnStep> steps, std::size_t scratch_bytes, OnednnHook finish, OnednnHook start)
      : steps_(std::move(steps)), scratch_bytes_(scratch_bytes), finish_(std::move(finish)), start_(std::move(start)) {}

  std::size_t scratch_bytes() const override { return scratch_bytes_; }

  std::shared_ptr<void> make_state() const override {
    auto state = std::make_shared<State>(State{dnnl::stream(onednn_engine()), {}});
    for (const OnednnStep& step : steps_) {
      State::Step& own = state->steps.emplace_back();
      for (const OnednnArgument& argument : step.arguments) {
        own.memories.emplace_back(argument.layout, onednn_engine(), nullptr);
        own.arguments.push_back({argument.id, own.memories.back().get()});
      }
    }
    return state;
  }

  void run(const KernelArgs& args, Stream&) const override {
    auto& state = *static_cast<State*>(args.state);
    if (start_) start_(args);
    for (std::size_t s = 0; s < steps_.size(); ++s) {
      const OnednnStep& step = steps_[s];
      State::Step& own = state.steps[s];
      for (std::size_t i = 0; i < step.arguments.size(); ++i) {
        own.memories[i].set_data_handle(place(args, step.arguments[i]));
      }
      dnnl::error::wrap_c_api(dnnl_primitive_execute(step.primitive.get(), state.stream.get(),
                                                     static_cast<int>(own.arguments.size()), own.arguments.data()),
                              "could not execute a oneDNN primitive");
    }
    if (finish_) finish_(args);
  }

 private:
  static void* place(const KernelArgs& args, const OnednnArgument& argument) {
    switch (argument.side) {
      case OnednnArgument::input: return const_cast<void*>(args.inputs[argument.at]);
      case OnednnArgument::output: return args.outputs[argument.at];
      case OnednnArgument::scratch: break;
    }
    return static_cast<std::byte*>(args.scratch) + argument.at;
  }

  std::vector<OnednnStep> steps_;
  std::size_t scratch_bytes_;
  OnednnHook finish_, start_;
};

bool is_relu(const ProductEpilogue& epilogue) { return epilogue.activation && epilogue.activation->name() == "relu"; }

}  // namespace

const dnnl::engine& onednn_engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

std::size_t OnednnScratch::reserve(const dnnl::memory::desc& layout) {
  constexpr std::size_t kAlignment = 64;
  const std::size_t at = bytes_;
  bytes_ += (layout.get_size() + kAlignment - 1) / kAlignment * kAlignment;
  return at;
}

dnnl::primitive_attr onednn_attributes(const ProductEpilogue& epilogue) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (is_relu(epilogue)) {
    dnnl::post_ops relu;
    relu.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
    attributes.set_post_ops(relu);
  }
  return attributes;
}

OnednnHook onednn_finish(const ProductEpilogue& epilogue, const TensorSpec& output) {
  if (!epilogue.activation || is_relu(epilogue)) return {};
  return [loop = epilogue.loop(output.dtype), n = output.shape.elements()](const KernelArgs& args) {
    const void* operands[1] = {args.outputs[0]};
    loop(operands, args.outputs[0], n);
  };
}

std::shared_ptr<const Kernel> make_onednn_kernel(std::vector<OnednnStep> steps, std::size_t scratch_bytes,
                                                 OnednnHook finish, OnednnHook start) {
  return std::make_shared<OnednnKernel>(std::move(steps), scratch_bytes, std::move(finish), std::move(start));
}

}  // namespace strata
