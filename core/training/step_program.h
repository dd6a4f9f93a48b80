// SPDX-License-Identifier: Apache-2.0
// What is compiled for one block: forward, losses, metrics, and when training the gradients.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/model/functional.h"
#include "core/program/program.h"
#include "core/training/objective.h"

namespace strata {

enum class StepKind { train, test, predict };

/// The rows that a step reads, without the sample axis.
struct DataSpecs {
  std::vector<TensorSpec> x;
  std::vector<TensorSpec> y;        // one a model output; empty when predicting
  std::vector<TensorSpec> weights;  // sample weights, one a model output, or none
};

/// Some of the sums of a step over its samples, and what they mean.
struct SumSpec {
  enum class Kind {
    mean,      // one sum: divided by `positions` times the number of samples
    quotient,  // two sums: the first divided by the second; 0 when that is 0
    plain,     // one sum that is the value
    metric,    // the state of `metric`, which adds up over steps
  };
  std::string name;  // what the logs call it; empty = part of the total loss only
  Kind kind = Kind::mean;
  Dim positions = 1;
  double weight = 0.0;  // the share in the total loss; 0 for metrics
  std::shared_ptr<const MetricFunction> metric = {};
  std::size_t first = 0;  // place among all sums of the step
  std::size_t count = 1;
};

/// A state that the step changes: where its combined value goes.
struct StateSpec {
  Variable variable;
  Combine combine;
};

/// Where the gradient of a variable is among the outputs: one dense tensor; or by rows the ids, then the values, then
/// the count of ops::combine_rows.
struct GradientOutput {
  int first = 0;
  bool by_rows = false;
  Dim ids = 0;  // the most rows that a block touches
};

/// Whether to leave the gradient of trainable variable `variable` by rows when a block gives so many ids. Null = never.
using RowChoice = std::function<bool(std::size_t variable, Dim ids)>;

/// A compiled step for blocks of `rows` samples. Immutable.
/// Inputs: x..., y..., weights..., random state int64 [3], three float64 scalars - the samples of the whole batch,
/// those of this block, and the factor of the loss - and an int64 scalar, which sample of the batch is the block's
/// first. Outputs: gradients (of
/// the last variable first), sums (float64, one tensor a SumSpec), states, predictions.
struct StepProgram {
  std::shared_ptr<const Program> program;
  int random_state = 0;
  int batch_samples = 0;
  int block_samples = 0;
  int loss_scale = 0;
  int first_row = 0;
  int first_sum = 0;
  int first_state = 0;
  int first_prediction = 0;
  std::vector<GradientOutput> gradients;  // one a trainable variable
  std::vector<SumSpec> sums;
  std::vector<StateSpec> states;
};

/// Traces and compiles. `variables`: what gradients are wanted for.
StepProgram compile_step(StepKind kind, Functional& model, const Objective& objective, const DataSpecs& data, Dim rows,
                         const std::vector<Variable>& variables, Device& device, const RowChoice& by_rows = {});

}  // namespace strata
