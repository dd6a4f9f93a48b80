// SPDX-License-Identifier: Apache-2.0
// Training loops of one's own, as with Keras' GradientTape:
//     for (const auto& [x, y] : batches) {
//       const auto [loss, gradients] = value_and_gradients(
//           model, [&] { return loss_function(y, model(x, {.training = true})) + sum_of(model.losses()); });
//       optimizer.apply_gradients(gradients, model);
//     }
// Everything in the function is computed eagerly, so it may be written with any control flow.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/model/layer.h"
#include "core/program/communicator.h"
#include "core/tensor/node.h"

namespace strata {

struct ValueAndGradients {
  Tensor value;
  std::vector<Gradient> gradients;  // one a variable; empty where the value does not depend on it
};

/// Calls `function`, which returns a floating scalar, and differentiates it by `variables`; throws ShapeError for what
/// is no scalar. Further variables may be anything that was read in it, such as those of two models.
ValueAndGradients value_and_gradients(const std::vector<Variable>& variables, const std::function<Tensor()>& function);
/// The same by the trainable weights of `model` (any layer), which the function may be the first to build.
ValueAndGradients value_and_gradients(const LayerRef& model, const std::function<Tensor()>& function);

/// The sum of scalars, in their order; a float32 zero of none.
Tensor sum_of(const std::vector<Tensor>& scalars);

/// The mean over all ranks of the gradients that each has of its own part of the data, as Horovod's
/// DistributedGradientTape takes it; bits do not depend on the order in which messages come. All ranks use one
/// with the same variables at the same steps. Used from one thread.
class GradientAverage {
 public:
  /// The session's communicator unless another is given, which must outlive this.
  explicit GradientAverage(Communicator* communicator = nullptr);
  ~GradientAverage();
  GradientAverage(const GradientAverage&) = delete;
  GradientAverage& operator=(const GradientAverage&) = delete;
  /// `gradients` by `variables`; an empty one counts as zeros. Collective. Throws CommError when a rank does not
  /// answer.
  std::vector<Gradient> operator()(const std::vector<Gradient>& gradients, const std::vector<Variable>& variables);
  /// The same where they are means over `samples` of this rank: the mean over all samples, also when ranks have
  /// unequally many, or some none at all, whose gradients (often NaN) are not looked at. Throws ConfigError on all
  /// ranks for fewer than 0 on one of them, or 0 on all.
  std::vector<Gradient> operator()(const std::vector<Gradient>& gradients, const std::vector<Variable>& variables,
                                   Dim samples);

 private:
  struct Part;
  std::vector<Gradient> mean(const std::vector<Gradient>& gradients, const std::vector<Variable>& variables, Dim weight,
                             Dim weights);
  void prepare(const std::vector<Variable>& variables);

  Communicator& communicator_;
  std::vector<Variable> variables_;
  std::vector<std::unique_ptr<Part>> parts_;  // one a dtype
};

/// Gives every rank the values that `variables` have on rank `root`: to be called before the first step. Collective.
void broadcast_variables(const std::vector<Variable>& variables, Communicator& communicator, int root = 0);

}  // namespace strata
