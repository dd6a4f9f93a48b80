// SPDX-License-Identifier: Apache-2.0
// The least time that a training step of the MLP can take with the libraries at hand: for every matrix product the
// faster of oneDNN and libxsmm, and a vectorised RMSprop; nothing for activations, loss, or the data.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace strata::benchmarks {

class KernelBound {
 public:
  KernelBound();
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
    std::vector<Candidate> candidates;
  };
  void add_product(const std::string& name, int m, int n, int k, bool transpose_a, bool transpose_b);
  void add_update(std::size_t parameters);

  struct Memory;
  std::unique_ptr<Memory> memory_;
  std::vector<Task> tasks_;
};

}  // namespace strata::benchmarks
