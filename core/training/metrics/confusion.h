// SPDX-License-Identifier: Apache-2.0
// Internal to metrics: weights of true and false samples by how many thresholds their output exceeds.
#pragma once

#include "core/training/metrics/table.h"

namespace strata {

/// Weights of samples: predicted or not, true or not.
struct Confusion {
  double true_positives = 0.0;
  double false_positives = 0.0;
  double true_negatives = 0.0;
  double false_negatives = 0.0;
};

/// 0 where the denominator is 0.
inline double quotient(double a, double b) { return b == 0.0 ? 0.0 : a / b; }
inline double precision(const Confusion& c) { return quotient(c.true_positives, c.true_positives + c.false_positives); }
inline double recall(const Confusion& c) { return quotient(c.true_positives, c.true_positives + c.false_negatives); }
inline double specificity(const Confusion& c) {
  return quotient(c.true_negatives, c.true_negatives + c.false_positives);
}

/// Counts confusions at several thresholds, for one label or for several columns of them.
/// State: for each threshold (ascending) and column the weight of the true, then of the false samples whose outputs
/// exceed this threshold and no higher one; then for each column the weight of all true samples, then of all false.
class ConfusionCounter {
 public:
  struct Options {
    std::vector<double> thresholds = {};  // ascending
    bool even = false;                    // they are 0, 1 / (T - 1), ..., 1: found by arithmetic, as Keras does
    bool zero_exceeds_first = false;      // even ones only: the first stands for a little less than 0
    std::optional<int> top_k = {};
    std::optional<int> class_id = {};
    bool columns = false;                     // y_pred (n, columns), each counted for itself; else all outputs together
    std::vector<double> column_weights = {};  // multiply the weights of the last axis
  };
  ConfusionCounter(std::string name, Options options) : name_(std::move(name)), options_(std::move(options)) {}

  Tensor update(const MetricInputs& inputs) const;
  std::size_t thresholds() const { return options_.thresholds.size(); }
  std::size_t columns(std::span<const double> state) const { return state.size() / (2 * thresholds() + 2); }

  /// Calls f(i, confusion) for each threshold of a column, from the highest (thresholds() - 1) to the lowest (0).
  template <class F>
  void visit(std::span<const double> state, std::size_t column, F&& f) const {
    const std::size_t columns = this->columns(state);
    const double* totals = state.data() + 2 * thresholds() * columns;
    double tp = 0.0, fp = 0.0;
    for (std::size_t i = thresholds(); i-- > 0;) {
      tp += state[2 * (i * columns + column)];
      fp += state[2 * (i * columns + column) + 1];
      f(i, Confusion{tp, fp, totals[columns + column] - fp, totals[column] - tp});
    }
  }

 private:
  Tensor chosen_outputs(const Tensor& y_pred) const;
  Tensor exceeded(const Tensor& outputs) const;

  std::string name_;
  Options options_;
};

}  // namespace strata
