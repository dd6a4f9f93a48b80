// SPDX-License-Identifier: Apache-2.0
// A model that trains on made-up data that can be learnt: what the drivers time.
#pragma once

#include <strata/strata.h>

namespace strata::benchmarks {

class TrainingStep {
 public:
  /// `model` gives logits (n, 10) for inputs (n, input...); it is compiled with RMSprop. run() goes through `steps`
  /// steps of `batch` samples. An epoch has `batches` batches: one stays in the cache, as the kernels' data does; many
  /// come from memory, gathered in a new order every epoch.
  TrainingStep(const Model& model, const Shape& input, Dim batch, Dim steps, Dim batches = 1);
  /// run() is a fit with `options` on these arrays.
  TrainingStep(const Model& model, Arrays x, Arrays y, const CompileOptions& compile, const FitOptions& options);

  /// Milliseconds a step, with all that fit does between steps.
  double run();
  /// After the last run.
  double loss() const { return loss_; }

 private:
  Model model_;
  Arrays x_, y_;
  FitOptions options_;
  double loss_ = 0.0;
};

/// Numbers from 0 to 1 (samples, input...), and the classes (samples,) that a rule gives them, from 0 to 9.
struct Classes {
  Classes(const Shape& input, Dim samples);
  Tensor x, y;
};

}  // namespace strata::benchmarks
