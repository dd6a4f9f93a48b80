// SPDX-License-Identifier: Apache-2.0
#include "support/kernel_bound.h"

#include <fmt/format.h>
#include <libxsmm.h>

#include <chrono>
#include <cmath>

#include "core/base/simd.h"
#include "support/kernel_memory.h"
#include "support/statistics.h"

namespace strata::benchmarks {
namespace {

using dnnl::memory;

STRATA_SIMD_CLONES void rmsprop(float* w, const float* g, float* v, std::size_t n) {
#pragma GCC ivdep
  for (std::size_t i = 0; i < n; ++i) {
    v[i] = 0.9f * v[i] + 0.1f * g[i] * g[i];
    w[i] -= 1e-3f * g[i] / std::sqrt(v[i] + 1e-7f);
  }
}

}  // namespace

KernelBound::KernelBound() : memory_(std::make_unique<Memory>()) {}

KernelBound::~KernelBound() = default;

void KernelBound::add_product(const std::string& name, int m, int n, int k, bool transpose_a, bool transpose_b) {
  const auto size = [](int rows, int columns) {
    return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
  };
  float* a = memory_->make(size(m, k));
  float* b = memory_->make(size(k, n));
  float* c = memory_->make(size(m, n));
  Task task{fmt::format("{} ({}x{}x{})", name, m, n, k), {}};

  using dims = memory::dims;
  const auto f32 = memory::data_type::f32;
  const memory::desc da({m, k}, f32, transpose_a ? dims{1, m} : dims{k, 1});
  const memory::desc db({k, n}, f32, transpose_b ? dims{1, k} : dims{n, 1});
  const memory::desc dc({m, n}, f32, dims{n, 1});
  const dnnl::matmul product(dnnl::matmul::primitive_desc(dnnl::matmul::desc(da, db, dc), memory_->engine));
  task.candidates.push_back({"oneDNN", memory_->run(product, {{DNNL_ARG_SRC, memory(da, memory_->engine, a)},
                                                              {DNNL_ARG_WEIGHTS, memory(db, memory_->engine, b)},
                                                              {DNNL_ARG_DST, memory(dc, memory_->engine, c)}})});

  // libxsmm is column-major: it computes the transposed product.
  const int lda = n, ldb = transpose_a ? m : k, ldc = n;
  const int flags = (transpose_b ? LIBXSMM_GEMM_FLAG_TRANS_A : 0) | (transpose_a ? LIBXSMM_GEMM_FLAG_TRANS_B : 0);
  const float alpha = 1, beta = 0;
  const int first = transpose_b ? k : lda;
  if (const auto small = libxsmm_smmdispatch(n, m, k, &first, &ldb, &ldc, &alpha, &beta, &flags, nullptr)) {
    task.candidates.push_back({"libxsmm", [=] { small(b, a, c); }});
  }
  tasks_.push_back(std::move(task));
}

void KernelBound::add_dense(const std::string& name, int batch, int in, int out, bool first) {
  add_product(name + " forward", batch, out, in, false, false);
  add_product(name + " weight gradient", in, out, batch, true, false);
  if (!first) add_product(name + " input gradient", batch, in, out, false, true);
}

void KernelBound::add_update(std::size_t parameters) {
  float* w = memory_->make(parameters);
  float* g = memory_->make(parameters);
  float* v = memory_->make(parameters);
  tasks_.push_back({"RMSprop update", {{"vectorised loop", [=] { rmsprop(w, g, v, parameters); }}}});
}

double KernelBound::run(int repeats) {
  using Clock = std::chrono::steady_clock;
  double sum = 0.0;
  for (Task& task : tasks_) {
    double best = INFINITY;
    for (Candidate& candidate : task.candidates) {
      candidate.run();
      const auto start = Clock::now();
      for (int i = 0; i < repeats; ++i) candidate.run();
      candidate.times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count() / repeats);
      best = std::min(best, candidate.times.back());
    }
    sum += best;
  }
  return sum;
}

std::string KernelBound::table() const {
  std::string text;
  for (const Task& task : tasks_) {
    text += fmt::format("{:<44}", task.name);
    for (const Candidate& candidate : task.candidates) {
      text += fmt::format("{:>9.4f} ms {:<17}", median(candidate.times), candidate.library);
    }
    text += "\n";
  }
  return text;
}

}  // namespace strata::benchmarks
