// SPDX-License-Identifier: Apache-2.0
#include "support/kernel_bound.h"

#include <fmt/format.h>
#include <libxsmm.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <dnnl.hpp>

#include "core/base/simd.h"

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

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct KernelBound::Memory {
  std::vector<std::vector<float>> arrays;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};

  float* make(std::size_t n) { return arrays.emplace_back(n, 0.01f).data(); }
};

KernelBound::KernelBound(const std::vector<Product>& products, std::size_t parameters)
    : memory_(std::make_unique<Memory>()) {
  for (const Product& product : products) add_product(product);
  add_update(parameters);
}

KernelBound::~KernelBound() = default;

void KernelBound::add_product(const Product& product) {
  const auto& [name, m, n, k, transpose_a, transpose_b, times] = product;
  const auto size = [](int rows, int columns) {
    return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
  };
  float* a = memory_->make(size(m, k));
  float* b = memory_->make(size(k, n));
  float* c = memory_->make(size(m, n));
  Task task{fmt::format("{} ({}x{}x{})", name, m, n, k), times, {}};

  using dims = memory::dims;
  const auto f32 = memory::data_type::f32;
  const memory::desc da({m, k}, f32, transpose_a ? dims{1, m} : dims{k, 1});
  const memory::desc db({k, n}, f32, transpose_b ? dims{1, k} : dims{n, 1});
  const memory::desc dc({m, n}, f32, dims{n, 1});
  const dnnl::matmul library(dnnl::matmul::primitive_desc(dnnl::matmul::desc(da, db, dc), memory_->engine));
  const std::unordered_map<int, memory> arguments{{DNNL_ARG_SRC, memory(da, memory_->engine, a)},
                                                  {DNNL_ARG_WEIGHTS, memory(db, memory_->engine, b)},
                                                  {DNNL_ARG_DST, memory(dc, memory_->engine, c)}};
  task.candidates.push_back({"oneDNN", [=, this] { library.execute(memory_->stream, arguments); }, {}});

  // libxsmm is column-major: it computes the transposed product.
  const int lda = n, ldb = transpose_a ? m : k, ldc = n;
  const int flags = (transpose_b ? LIBXSMM_GEMM_FLAG_TRANS_A : 0) | (transpose_a ? LIBXSMM_GEMM_FLAG_TRANS_B : 0);
  const float alpha = 1, beta = 0;
  const int first = transpose_b ? k : lda;
  if (const auto small = libxsmm_smmdispatch(n, m, k, &first, &ldb, &ldc, &alpha, &beta, &flags, nullptr)) {
    task.candidates.push_back({"libxsmm", [=] { small(b, a, c); }, {}});
  }
  tasks_.push_back(std::move(task));
}

void KernelBound::add_update(std::size_t parameters) {
  float* w = memory_->make(parameters);
  float* g = memory_->make(parameters);
  float* v = memory_->make(parameters);
  tasks_.push_back({"RMSprop update", 1, {{"vectorised loop", [=] { rmsprop(w, g, v, parameters); }, {}}}});
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
    sum += best * task.times;
  }
  return sum;
}

std::string KernelBound::table() const {
  std::string text;
  for (const Task& task : tasks_) {
    text += fmt::format("{:<34}", task.times > 1 ? fmt::format("{} x {}", task.times, task.name) : task.name);
    for (const Candidate& candidate : task.candidates) {
      text += fmt::format("{:>10.4f} ms {:<16}", median(candidate.times), candidate.library);
    }
    text += "\n";
  }
  return text;
}

}  // namespace strata::benchmarks
