// SPDX-License-Identifier: Apache-2.0
// Internal to losses: a loss made of a formula, the parts that formulas share, and the table of losses by Keras name.
#pragma once

#include <functional>

#include "core/model/named_rules.h"
#include "core/ops/ops.h"
#include "core/training/loss.h"

namespace strata {

/// What y_true is to a loss.
enum class TargetKind {
  targets,  // values of the shape of y_pred: see fit_targets
  one_hot,  // the same, of which some expect that they are labels
  labels,   // integer labels of classes on the last axis: see fit_labels
};

/// A loss in parts. The formula sees fitted targets (of y_pred's dtype) or labels (int64), and the outputs.
struct LossFormula {
  std::string class_name;
  std::string name;  // empty = the class name in snake case
  Reduction reduction = Reduction::sum_over_batch_size;
  Config config = Config::object();
  std::function<Tensor(const Tensor& targets, const Tensor& outputs)> values;
  TargetKind kind = TargetKind::targets;
  /// Positions with this label do not count; labels only.
  std::optional<std::int64_t> ignored_label = {};
  /// Checks all targets beyond their shape; may be empty.
  std::function<void(const HostArray& y_true, const TensorSpec& y_pred)> check = {};
};
Loss make_loss(LossFormula formula);

/// Throws ConfigError naming the first label that is not one of 0 ... classes - 1, nor the ignored one.
void check_labels(const std::string& loss, const HostArray& y_true, Dim classes,
                  std::optional<std::int64_t> ignored = {});

/// Clips probabilities to [1e-7, 1 - 1e-7], so that their logarithms are finite.
Tensor clip_probabilities(const Tensor& p);
/// p divided by its sum over the axis, then clipped.
Tensor normalized_probabilities(const Tensor& p, int axis);
/// t (1 - smoothing) + smoothing / classes.
Tensor smooth_labels(const Tensor& t, double smoothing, double classes);
/// The same with the size of the axis as the number of classes. Throws ShapeError when that is not known.
Tensor smooth_labels(const std::string& loss, const Tensor& t, double smoothing, int axis);
/// Throws ConfigError, beginning with `loss`, unless the smoothing is in [0, 1].
void check_label_smoothing(const std::string& loss, double smoothing);

/// The losses of Keras. Each file of this folder adds its own: CMake collects register_<stem>(LossTable&).
using LossTable = std::map<std::string, RuleTable<Loss>::Entry>;

/// name and reduction from a config; "auto" of TF 2 is the default.
losses::LossOptions common_options(const RuleArguments& arguments);
/// Adds a loss under its class name, its function name and `short_names`; name and reduction are known to all.
void add_loss(LossTable& table, const std::string& class_name, std::vector<std::string> short_names,
              std::vector<std::string> arguments, std::function<Loss(const RuleArguments&)> make);
/// One without arguments of its own.
void add_loss(LossTable& table, const std::string& class_name, std::vector<std::string> short_names,
              Loss (*make)(const losses::LossOptions&));

/// The loss of this Keras name; empty when there is none.
Loss find_loss(const std::string& name);

}  // namespace strata
