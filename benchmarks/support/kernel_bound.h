// SPDX-License-Identifier: Apache-2.0
// The least time that a training step can take with the libraries at hand: for every matrix product the faster of
// oneDNN and libxsmm, and a vectorised RMSprop; nothing for activations, loss, or the data.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace strata::benchmarks {

/// c (m, n) = a (m, k) b (k, n), so many times a step.
struct Product {
  std::string name;
  int m, n, k;
  bool transpose_a = false, transpose_b = false;
  int times = 1;
};

/// The middle one.
double median(std::vector<double> values);

class KernelBound {
 public:
  KernelBound(const std::vector<Product>& products, std::size_t parameters);
  ~KernelBound();
  /// Milliseconds for one of everything, measured over `repeats` repetitions: the fastest candidate of every kernel.
  double run(int repeats);
  /// What was chosen, with the medians so far.
  std::string table() const;

 private:
  struct Candidate {
    std::string library;
    std::function<void()> run;
    std::vector<double> times;  // ms
  };
  struct Task {
    std::string name;
    int times;  // a step
    std::vector<Candidate> candidates;
  };
  void add_product(const Product& product);
  void add_update(std::size_t parameters);

  struct Memory;
  std::unique_ptr<Memory> memory_;
  std::vector<Task> tasks_;
};

}  // namespace strata::benchmarks
