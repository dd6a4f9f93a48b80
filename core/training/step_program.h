// SPDX-License-Identifier: Apache-2.0
// What is compiled for one block: forward, losses, metrics, and when training the gradients.
#pragma once

#include <memory>
#include <vector>

#include "core/model/functional.h"
#include "core/program/program.h"
#include "core/training/loss.h"
#include "core/training/metric.h"

namespace strata {

enum class StepKind { train, test, predict };

/// The rows that a step reads, without the sample axis.
struct DataSpecs {
  std::vector<TensorSpec> x;
  std::vector<TensorSpec> y;  // one a model output; empty when predicting
  bool weighted = false;      // one float32 weight a sample and output follows the targets
};

/// What compile() fixed.
struct Objective {
  std::vector<Loss> losses;          // one a model output
  std::vector<double> loss_weights;  // one a model output
  std::vector<Metric> metrics;       // applied to every output
};

/// Sums over the samples of a step, each divided by `positions` times the global number of samples to give a mean.
struct SumSpec {
  std::string name;     // "loss" of an output, or a metric: what the logs call it; empty = part of the loss only
  Dim positions = 1;    // loss or metric values a sample
  double weight = 0.0;  // the share of this mean in the total loss; 0 for metrics
};

/// A state that the step changes: where its combined value goes.
struct StateSpec {
  Variable variable;
  Combine combine;
};

/// A compiled step for blocks of `rows` samples. Immutable.
/// Inputs: x..., y..., weights..., random state int64 [3], two float64 scalars - the samples of the whole batch and
/// those of this block - and an int64 scalar, which sample of the batch is the block's first. Outputs: gradients (one a
/// trainable variable, the last variable's first), sums (float64 scalars), states, predictions.
struct StepProgram {
  std::shared_ptr<const Program> program;
  int random_state = 0;
  int batch_samples = 0;
  int block_samples = 0;
  int first_row = 0;
  int first_sum = 0;
  int first_state = 0;
  int first_prediction = 0;
  std::vector<SumSpec> sums;
  std::vector<StateSpec> states;
};

/// Traces and compiles. `variables`: what gradients are wanted for.
StepProgram compile_step(StepKind kind, Functional& model, const Objective& objective, const DataSpecs& data, Dim rows,
                         const std::vector<Variable>& variables, Device& device);

}  // namespace strata
