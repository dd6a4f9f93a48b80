// SPDX-License-Identifier: Apache-2.0
// Internal to kernel_bound: the data of the bare kernels, and primitives on it.
#pragma once

#include <deque>
#include <dnnl.hpp>

#include "support/kernel_bound.h"

namespace strata::benchmarks {

struct KernelBound::Memory {
  std::deque<std::vector<float>> arrays;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};

  float* make(std::size_t n) { return arrays.emplace_back(n, 0.01f).data(); }

  /// Memory of this layout, with numbers in it.
  dnnl::memory make(const dnnl::memory::desc& layout) {
    return {layout, engine, make(layout.get_size() / sizeof(float) + 1)};
  }

  /// Runs the primitive on these arguments.
  std::function<void()> run(const dnnl::primitive& primitive, const std::unordered_map<int, dnnl::memory>& arguments) {
    return [=, this] { primitive.execute(stream, arguments); };
  }
};

}  // namespace strata::benchmarks
