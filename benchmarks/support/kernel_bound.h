// SPDX-License-Identifier: Apache-2.0
// The least time that a training step can take with the libraries at hand: for every matrix product the faster of
// oneDNN and libxsmm, for every convolution and pooling oneDNN in the layout that suits it best, and a vectorised
// RMSprop; nothing for activations apart, loss, reordering, or the data.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace strata::benchmarks {

/// Images (batch, height, width, channels) under windows of size * size elements.
struct Windows {
  int batch, height, width, channels, size, stride;
  int padding;  // at each end of both axes

  int positions(int n) const { return (n + 2 * padding - size) / stride + 1; }
};

class KernelBound {
 public:
  KernelBound();
  ~KernelBound();

  /// (m, k) by (k, n).
  void add_product(const std::string& name, int m, int n, int k, bool transpose_a, bool transpose_b);
  /// The products of a dense layer: forward, weight gradient, and unless it is the first layer input gradient.
  void add_dense(const std::string& name, int batch, int in, int out, bool first);
  /// Convolution with bias and relu, its weight and bias gradient, and unless it is the first layer its input gradient.
  void add_convolution(const std::string& name, const Windows& windows, int filters, bool first);
  /// Maxima and their gradient.
  void add_max_pool(const std::string& name, const Windows& windows);
  /// RMSprop.
  void add_update(std::size_t parameters);

  /// Milliseconds for one of everything, measured over `repeats` repetitions: the fastest candidate of every kernel.
  double run(int repeats);
  /// What was chosen, with the medians so far.
  std::string table() const;

 private:
  struct Candidate {
    std::string library;
    std::function<void()> run;
    std::vector<double> times = {};  // ms
  };
  struct Task {
    std::string name;
    std::vector<Candidate> candidates;
  };
  struct Memory;
  std::unique_ptr<Memory> memory_;
  std::vector<Task> tasks_;
};

}  // namespace strata::benchmarks
