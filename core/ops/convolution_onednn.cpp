// SPDX-License-Identifier: Apache-2.0
// Convolutions by oneDNN. Activations stay channels-last, with which its kernels are about as fast as with blocked
// ones; kernels are reordered into the layout it asks for, in scratch memory, at every run.
#include <algorithm>

#include "core/base/thread_environment.h"
#include "core/ops/convolution_op.h"
#include "core/ops/onednn.h"
#include "core/ops/strided_copy.h"

namespace strata {
namespace {

using dnnl::memory;

constexpr auto kFloat = memory::data_type::f32;
constexpr auto kAlgorithm = dnnl::algorithm::convolution_direct;

/// The descriptions that all three directions are made from.
struct Descriptions {
  memory::desc x, y, bias;
  memory::desc plain_kernel;   // as Keras stores it
  memory::desc chosen_kernel;  // what the primitive is asked to take: any layout, or the plain one
  memory::dims strides, dilations, before, after;
};

/// A channels-last tensor (batch, spatial..., channels) under oneDNN's order of axes: batch, channels, spatial.
memory::desc activations(const Shape& shape) {
  memory::dims dims{shape[0], shape.back()};
  memory::dims strides{shape.elements() / shape[0], 1};
  for (int i = 1; i < shape.rank() - 1; ++i) {
    dims.push_back(shape[i]);
    strides.push_back(shape.slice(i + 1, shape.rank()).elements());
  }
  return {dims, kFloat, strides};
}

/// A kernel (size..., in, groups * out) under the order groups (if several), out, in, size.
memory::desc plain_kernel(const Shape& shape, Dim groups) {
  const Dim in = shape[shape.rank() - 2], out = shape.back();
  memory::dims dims{out / groups, in};
  memory::dims strides{1, out};
  for (int i = 0; i < shape.rank() - 2; ++i) {
    dims.push_back(shape[i]);
    strides.push_back(shape.slice(i + 1, shape.rank()).elements());
  }
  if (groups > 1) {
    dims.insert(dims.begin(), groups);
    strides.insert(strides.begin(), out / groups);
  }
  return {dims, kFloat, strides};
}

Descriptions describe(const Convolved& convolved, const Shape& x, const Shape& kernel, const Shape& y) {
  Descriptions d;
  d.x = activations(x);
  d.y = activations(y);
  d.bias = {{y.back()}, kFloat, memory::format_tag::x};
  d.plain_kernel = plain_kernel(kernel, convolved.groups);
  d.chosen_kernel = {d.plain_kernel.dims(), kFloat, memory::format_tag::any};
  for (const WindowAxis& axis : convolved.window) {
    d.strides.push_back(axis.stride);
    d.dilations.push_back(axis.dilation - 1);
    d.before.push_back(axis.before);
    d.after.push_back(axis.after);
  }
  return d;
}

/// Why oneDNN cannot serve; "" when it can.
std::string reason_to_decline(const KernelRequest& request) {
  if (request.outputs[0].dtype != Dtype::float32) return "only float32";
  for (const TensorSpec& input : request.inputs) {
    if (input.shape.elements() == 0) return "an empty operand";
  }
  return request.outputs[0].shape.elements() == 0 ? "an empty result" : "";
}

/// A copy of one layout into another, as a step before or after the primitive.
OnednnStep reorder_step(OnednnArgument from, OnednnArgument to, OnednnScratch& scratch) {
  const dnnl::reorder::primitive_desc copy(onednn_engine(), from.layout, onednn_engine(), to.layout,
                                           onednn_attributes());
  from.id = DNNL_ARG_FROM;
  to.id = DNNL_ARG_TO;
  return {dnnl::reorder(copy), {from, to, scratch.scratchpad(copy.scratchpad_desc())}};
}

bool steps_over_positions(const Window& window) {
  const auto one = [](const WindowAxis& axis) { return axis.size == 1 && axis.before == 0 && axis.after == 0; };
  const auto strided = [](const WindowAxis& axis) { return axis.stride > 1; };
  return std::all_of(window.begin(), window.end(), one) && std::any_of(window.begin(), window.end(), strided);
}

/// Where x is for the primitive, and what has to run first.
struct Source {
  OnednnArgument x;
  OnednnHook start;
};

/// Where a kernel of one element steps over positions of x, those that it meets are copied out first and the strides
/// become 1: oneDNN's kernels that do so themselves write beyond their scratchpad for strides such as (1, 2).
Source met_positions(Descriptions& d, const Convolved& convolved, const Shape& x, const Shape& y,
                     OnednnScratch& scratch) {
  if (!steps_over_positions(convolved.window)) return {{DNNL_ARG_SRC, d.x, OnednnArgument::input, 0}, {}};
  const Shape met = y.with(y.rank() - 1, x.back());
  const auto from = dense_strides(x), to = dense_strides(met);
  std::vector<StridedAxis> axes;
  for (int i = 0; i < x.rank(); ++i) {
    const auto axis = static_cast<std::size_t>(i);
    const bool spatial = i > 0 && i + 1 < x.rank();
    axes.push_back({met[i], from[axis] * (spatial ? convolved.window[axis - 1].stride : 1), to[axis]});
  }
  d.x = activations(met);
  d.strides.assign(d.strides.size(), 1);
  const std::size_t place = scratch.reserve(d.x);
  return {{DNNL_ARG_SRC, d.x, OnednnArgument::scratch, place},
          [place, copy = StridedCopy(std::move(axes), 0, 0, sizeof(float))](const KernelArgs& args) {
            copy.run(args.inputs[0], static_cast<std::byte*>(args.scratch) + place);
          }};
}

/// The kernel's argument in the layout that the primitive takes; adds the step that makes it, if one is needed.
OnednnArgument reordered_kernel(const Descriptions& d, const memory::desc& taken, std::vector<OnednnStep>& steps,
                                OnednnScratch& scratch) {
  const OnednnArgument plain{DNNL_ARG_WEIGHTS, d.plain_kernel, OnednnArgument::input, 1};
  if (taken == d.plain_kernel) return plain;
  const OnednnArgument own{DNNL_ARG_WEIGHTS, taken, OnednnArgument::scratch, scratch.reserve(taken)};
  steps.push_back(reorder_step(plain, own, scratch));
  return own;
}

dnnl::convolution_forward::primitive_desc forward(const Descriptions& d, const ProductEpilogue& epilogue = {}) {
  const auto kind = dnnl::prop_kind::forward_training;
  const auto description = epilogue.bias
                               ? dnnl::convolution_forward::desc(kind, kAlgorithm, d.x, d.chosen_kernel, d.bias, d.y,
                                                                 d.strides, d.dilations, d.before, d.after)
                               : dnnl::convolution_forward::desc(kind, kAlgorithm, d.x, d.chosen_kernel, d.y, d.strides,
                                                                 d.dilations, d.before, d.after);
  return {description, onednn_attributes(epilogue), onednn_engine(), true};
}

/// Into so few channels, oneDNN's direct kernels waste most of their vectors; those on plain kernels, which go through
/// a matrix product, take half the time (measured for 1 and 3 channels).
bool few_channels(const Shape& kernel, Dim groups) { return groups == 1 && kernel[kernel.rank() - 2] <= 4; }

constexpr const char* kNone = "oneDNN has no implementation";

}  // namespace

Prepared prepare_convolution_onednn(const KernelRequest& request) {
  if (const std::string reason = reason_to_decline(request); !reason.empty()) return reason;
  const ThreadEnvironment environment;  // oneDNN prepares for the threads it sees
  const auto& op = dynamic_cast<const ConvolutionOp&>(request.op);
  const TensorSpec& output = request.outputs[0];
  Descriptions d = describe(op.convolved(), request.inputs[0].shape, request.inputs[1].shape, output.shape);
  OnednnScratch scratch;
  std::vector<OnednnStep> steps;
  const Source source = met_positions(d, op.convolved(), request.inputs[0].shape, output.shape, scratch);
  const auto chosen = forward(d, op.epilogue());
  if (!chosen) return kNone;
  const OnednnArgument kernel = reordered_kernel(d, chosen.weights_desc(), steps, scratch);
  std::vector<OnednnArgument> arguments{
      source.x, kernel, {DNNL_ARG_DST, d.y, OnednnArgument::output, 0}, scratch.scratchpad(chosen.scratchpad_desc())};
  if (op.epilogue().bias) arguments.push_back({DNNL_ARG_BIAS, d.bias, OnednnArgument::input, 2});
  steps.push_back({dnnl::convolution_forward(chosen), std::move(arguments)});
  return make_onednn_kernel(std::move(steps), scratch.bytes(), onednn_finish(op.epilogue(), output), source.start);
}

Prepared prepare_convolution_backward_data_onednn(const KernelRequest& request) {
  if (const std::string reason = reason_to_decline(request); !reason.empty()) return reason;
  const ThreadEnvironment environment;
  const auto& op = dynamic_cast<const ConvolutionBackwardDataOp&>(request.op);
  const TensorSpec& output = request.outputs[0];
  const Shape& kernel_shape = request.inputs[1].shape;
  Descriptions d = describe(op.convolved(), output.shape, kernel_shape, request.inputs[0].shape);
  if (few_channels(kernel_shape, op.convolved().groups)) d.chosen_kernel = d.plain_kernel;
  const auto hint = forward(d);
  if (!hint) return kNone;
  const dnnl::convolution_backward_data::primitive_desc chosen(
      {kAlgorithm, d.x, d.chosen_kernel, d.y, d.strides, d.dilations, d.before, d.after}, onednn_attributes(),
      onednn_engine(), hint, true);
  if (!chosen) return kNone;
  OnednnScratch scratch;
  std::vector<OnednnStep> steps;
  const OnednnArgument kernel = reordered_kernel(d, chosen.weights_desc(), steps, scratch);
  steps.push_back({dnnl::convolution_backward_data(chosen),
                   {{DNNL_ARG_DIFF_DST, d.y, OnednnArgument::input, 0},
                    kernel,
                    {DNNL_ARG_DIFF_SRC, d.x, OnednnArgument::output, 0},
                    scratch.scratchpad(chosen.scratchpad_desc())}});
  // oneDNN's transposed convolutions with a bias or an activation inside fall into slow kernels.
  OnednnHook finish;
  if (op.epilogue()) {
    finish = [bias = op.epilogue().bias, loop = op.epilogue().loop(output.dtype), n = output.shape.back(),
              rows = output.shape.elements() / output.shape.back()](const KernelArgs& args) {
      apply_epilogue<float>(args.output<float>(), bias ? args.input<float>(2) : nullptr, loop, rows, n);
    };
  }
  return make_onednn_kernel(std::move(steps), scratch.bytes(), std::move(finish));
}

Prepared prepare_convolution_backward_weights_onednn(const KernelRequest& request) {
  if (const std::string reason = reason_to_decline(request); !reason.empty()) return reason;
  const ThreadEnvironment environment;
  const auto& op = dynamic_cast<const ConvolutionBackwardWeightsOp&>(request.op);
  const Shape& kernel_shape = request.outputs[0].shape;
  Descriptions d = describe(op.convolved(), request.inputs[0].shape, kernel_shape, request.inputs[1].shape);
  OnednnScratch scratch;
  std::vector<OnednnStep> steps;
  const Source source = met_positions(d, op.convolved(), request.inputs[0].shape, request.inputs[1].shape, scratch);
  const auto hint = forward(d);
  if (!hint) return kNone;
  const dnnl::convolution_backward_weights::primitive_desc chosen(
      {kAlgorithm, d.x, d.chosen_kernel, d.y, d.strides, d.dilations, d.before, d.after}, onednn_attributes(),
      onednn_engine(), hint, true);
  if (!chosen) return kNone;
  const memory::desc made = chosen.diff_weights_desc();
  const OnednnArgument plain{DNNL_ARG_DIFF_WEIGHTS, d.plain_kernel, OnednnArgument::output, 0};
  const bool direct = made == d.plain_kernel;
  const OnednnArgument result =
      direct ? plain : OnednnArgument{DNNL_ARG_DIFF_WEIGHTS, made, OnednnArgument::scratch, scratch.reserve(made)};
  steps.push_back({dnnl::convolution_backward_weights(chosen),
                   {source.x,
                    {DNNL_ARG_DIFF_DST, d.y, OnednnArgument::input, 1},
                    result,
                    scratch.scratchpad(chosen.scratchpad_desc())}});
  if (!direct) steps.push_back(reorder_step(result, plain, scratch));
  return make_onednn_kernel(std::move(steps), scratch.bytes(), {}, source.start);
}

}  // namespace strata
