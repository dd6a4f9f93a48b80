// SPDX-License-Identifier: Apache-2.0
#include "layers/time_loop.h"

#include "core/base/error.h"
#include "core/program/scan.h"

namespace strata {
namespace {

/// Numbers drawn in time step t: those of another training step, far away, so that no two steps draw alike.
Tensor random_state_of_step(const Tensor& state, const Tensor& t) {
  const Tensor far = constant<std::int64_t>({0, std::int64_t{1} << 32, 0}, {3});
  return state + far * (t + 1.0);
}

/// `mask` (batch,) under a shape that broadcasts over `like` (batch, ...).
Tensor expanded(const Tensor& mask, const Tensor& like) {
  std::vector<Dim> dims(static_cast<std::size_t>(like.rank()), 1);
  dims[0] = mask.shape()[0];
  return ops::reshape(mask, Shape(dims));
}

class TracedLoop {
 public:
  TracedLoop(const TimeLoop& loop, CallContext& context) : loop_(loop), context_(context) {}

  TimeLoopResult run(const Tensor& first) {
    {
      CallContext nested = context_.nested(loop_.cell.name(), {});
      const LayerScope layer_scope(loop_.cell.name());
      const CallScope call_scope(&nested);
      const AutocastScope autocast = loop_.cell.autocast_scope();
      constants_ = loop_.cell.begin_sequence(first, nested);
      projected_ = loop_.cell.project(loop_.sequences, constants_);
    }
    std::vector<Tensor> initial = loop_.initial;
    const bool carries_output = !loop_.options.return_sequences || repeats_output();
    if (carries_output) initial.push_back(zeros_for_batch(first, loop_.cell.output_size(), loop_.cell.compute_dtype()));
    std::vector<Tensor> sequences{projected_, ops::iota(steps_shape(), 0)};
    if (loop_.mask) sequences.push_back(loop_.mask);

    const ScanResult result = scan(
        [&](const std::vector<Tensor>& carries, const std::vector<Tensor>& inputs) { return body(carries, inputs); },
        initial, sequences, loop_.options.go_backwards);
    return collect(result);
  }

 private:
  /// A masked step repeats the output of the one before.
  bool repeats_output() const { return loop_.mask && !loop_.options.zero_output_for_mask; }

  Shape steps_shape() const { return {projected_.shape()[0]}; }

  ScanStep body(const std::vector<Tensor>& carries, const std::vector<Tensor>& inputs) {
    const std::size_t count = loop_.initial.size();
    const std::vector<Tensor> states(carries.begin(), carries.begin() + static_cast<std::ptrdiff_t>(count));
    CellStep step = one_step(inputs[0], states, inputs[1]);
    if (step.states.size() != count) {
      throw ConfigError("Cell " + loop_.cell.name() + ": expected " + std::to_string(count) +
                        " next states, received " + std::to_string(step.states.size()));
    }
    if (loop_.mask) {
      const Tensor& mask = inputs[2];
      const Tensor skipped = repeats_output() ? carries[count] : ops::zeros_like(step.output);
      step.output = ops::select(expanded(mask, step.output), step.output, skipped);
      for (std::size_t i = 0; i < count; ++i) {
        step.states[i] = ops::select(expanded(mask, states[i]), step.states[i], states[i]);
      }
    }
    ScanStep result{step.states, {}};
    if (carries.size() > count) result.carries.push_back(step.output);
    if (loop_.options.return_sequences) result.outputs.push_back(step.output);
    return result;
  }

  CellStep one_step(const Tensor& input, const std::vector<Tensor>& states, const Tensor& t) {
    Trace trace{.training = context_.training(), .random_state = random_state_of_step(context_.random_key().state, t)};
    CallContext nested(trace, context_.path() + "/" + loop_.cell.name() + "#steps", trace.training);
    const LayerScope layer_scope(loop_.cell.name());
    const CallScope call_scope(&nested);
    const AutocastScope autocast = loop_.cell.autocast_scope();
    CellStep step = loop_.cell.step(input, states, constants_, nested);
    if (!trace.updates.empty() || !trace.losses.empty()) {
      throw ConfigError("Cell " + loop_.cell.name() +
                        ": a cell can neither update variables nor add losses, since it runs once a time step. Do so "
                        "in a layer around the recurrent layer.");
    }
    return step;
  }

  TimeLoopResult collect(const ScanResult& result) const {
    const auto end = result.carries.begin() + static_cast<std::ptrdiff_t>(loop_.initial.size());
    TimeLoopResult collected{{}, {result.carries.begin(), end}};
    if (!loop_.options.return_sequences) collected.output = *end;
    else if (loop_.options.go_backwards) collected.output = ops::flip(result.outputs[0], {0});
    else collected.output = result.outputs[0];
    return collected;
  }

  const TimeLoop& loop_;
  CallContext& context_;
  SequenceConstants constants_;
  Tensor projected_;
};

}  // namespace

TimeLoopResult run_time_loop(const TimeLoop& loop, const Tensor& first, CallContext& context) {
  return TracedLoop(loop, context).run(first);
}

}  // namespace strata
