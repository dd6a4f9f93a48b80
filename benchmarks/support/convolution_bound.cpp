// SPDX-License-Identifier: Apache-2.0
// The part of KernelBound on windows: oneDNN on channels-last images, as Strata keeps them, and on blocks of channels,
// which many of its kernels like better.
#include <fmt/format.h>

#include "support/kernel_memory.h"

namespace strata::benchmarks {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;

constexpr auto kFloat = memory::data_type::f32;
constexpr auto kTraining = dnnl::prop_kind::forward_training;

struct Layout {
  const char* name;
  Tag convolution;  // any: what oneDNN chooses
  Tag pooling;
};
constexpr Layout kLayouts[] = {{"oneDNN nhwc", Tag::nhwc, Tag::nhwc}, {"oneDNN blocked", Tag::any, Tag::nChw16c}};

std::string task_name(const std::string& name, const Windows& w, int filters) {
  return fmt::format("{} ({}x{}x{}x{}, {}x{}, {})", name, w.batch, w.height, w.width, w.channels, w.size, w.size,
                     filters);
}

memory::dims y_dims(const Windows& w, int channels) {
  return {w.batch, channels, w.positions(w.height), w.positions(w.width)};
}

}  // namespace

void KernelBound::add_convolution(const std::string& name, const Windows& w, int filters, bool first) {
  Task forward{task_name(name + " forward", w, filters), {}}, weights{name + " weight gradient", {}},
      data{name + " input gradient", {}};
  const memory::dims strides{w.stride, w.stride}, padding{w.padding, w.padding};
  dnnl::post_ops relu;
  relu.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
  dnnl::primitive_attr with_relu;
  with_relu.set_post_ops(relu);
  for (const auto& [library, tag, unused] : kLayouts) {
    const memory::desc x({w.batch, w.channels, w.height, w.width}, kFloat, tag), y(y_dims(w, filters), kFloat, tag);
    const memory::desc kernel({filters, w.channels, w.size, w.size}, kFloat, Tag::any), bias({filters}, kFloat, Tag::x);
    constexpr auto kDirect = dnnl::algorithm::convolution_direct;
    const dnnl::convolution_forward::primitive_desc f(
        {kTraining, kDirect, x, kernel, bias, y, strides, padding, padding}, with_relu, memory_->engine);
    forward.candidates.push_back(
        {library, memory_->run(dnnl::convolution_forward(f), {{DNNL_ARG_SRC, memory_->make(f.src_desc())},
                                                              {DNNL_ARG_WEIGHTS, memory_->make(f.weights_desc())},
                                                              {DNNL_ARG_BIAS, memory_->make(f.bias_desc())},
                                                              {DNNL_ARG_DST, memory_->make(f.dst_desc())}})});
    const dnnl::convolution_backward_weights::primitive_desc b({kDirect, x, kernel, bias, y, strides, padding, padding},
                                                               memory_->engine, f);
    weights.candidates.push_back({library, memory_->run(dnnl::convolution_backward_weights(b),
                                                        {{DNNL_ARG_SRC, memory_->make(b.src_desc())},
                                                         {DNNL_ARG_DIFF_DST, memory_->make(b.diff_dst_desc())},
                                                         {DNNL_ARG_DIFF_WEIGHTS, memory_->make(b.diff_weights_desc())},
                                                         {DNNL_ARG_DIFF_BIAS, memory_->make(b.diff_bias_desc())}})});
    if (first) continue;
    const dnnl::convolution_backward_data::primitive_desc d({kDirect, x, kernel, y, strides, padding, padding},
                                                            memory_->engine, f);
    data.candidates.push_back({library, memory_->run(dnnl::convolution_backward_data(d),
                                                     {{DNNL_ARG_DIFF_DST, memory_->make(d.diff_dst_desc())},
                                                      {DNNL_ARG_WEIGHTS, memory_->make(d.weights_desc())},
                                                      {DNNL_ARG_DIFF_SRC, memory_->make(d.diff_src_desc())}})});
  }
  tasks_.push_back(std::move(forward));
  tasks_.push_back(std::move(weights));
  if (!first) tasks_.push_back(std::move(data));
}

void KernelBound::add_max_pool(const std::string& name, const Windows& w) {
  Task forward{task_name(name + " forward", w, w.channels), {}}, backward{name + " gradient", {}};
  const memory::dims strides{w.stride, w.stride}, size{w.size, w.size}, padding{w.padding, w.padding};
  constexpr auto kMax = dnnl::algorithm::pooling_max;
  for (const auto& [library, unused, tag] : kLayouts) {
    const memory::desc x({w.batch, w.channels, w.height, w.width}, kFloat, tag), y(y_dims(w, w.channels), kFloat, tag);
    const dnnl::pooling_forward::primitive_desc f({kTraining, kMax, x, y, strides, size, padding, padding},
                                                  memory_->engine);
    const memory workspace = memory_->make(f.workspace_desc());
    const memory from = memory_->make(x), to = memory_->make(y);
    forward.candidates.push_back(
        {library, memory_->run(dnnl::pooling_forward(f),
                               {{DNNL_ARG_SRC, from}, {DNNL_ARG_DST, to}, {DNNL_ARG_WORKSPACE, workspace}})});
    forward.candidates.back().run();  // fills the workspace
    const dnnl::pooling_backward::primitive_desc b({kMax, x, y, strides, size, padding, padding}, memory_->engine, f);
    backward.candidates.push_back(
        {library, memory_->run(dnnl::pooling_backward(b), {{DNNL_ARG_DIFF_DST, memory_->make(y)},
                                                           {DNNL_ARG_DIFF_SRC, memory_->make(x)},
                                                           {DNNL_ARG_WORKSPACE, workspace}})});
  }
  tasks_.push_back(std::move(forward));
  tasks_.push_back(std::move(backward));
}

}  // namespace strata::benchmarks
