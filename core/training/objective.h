// SPDX-License-Identifier: Apache-2.0
// What compile() is told of losses and metrics, and what it makes of it for the outputs of a model.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "core/training/loss.h"
#include "core/training/metric.h"

namespace strata {

/// One loss for every output, one an output in a list, or some by the output's name: `"mse"`, `{"mse", "bce"}`,
/// `{{"priority", "bce"}, {"department", loss}}`. An output without a loss is not trained.
class Losses {
 public:
  using Named = std::pair<std::string, Loss>;

  Losses() = default;
  Losses(Loss loss) : all_(std::move(loss)) {}  // NOLINT(google-explicit-constructor)
  Losses(const char* name) : all_(name) {}      // NOLINT(google-explicit-constructor)
  template <IsTargetFunction F>
  Losses(F&& function)  // NOLINT(google-explicit-constructor, bugprone-forwarding-reference-overload)
      : all_(std::forward<F>(function)) {}
  Losses(std::vector<Loss> losses) : list_(std::move(losses)), is_list_(true) {}  // NOLINT(google-explicit-constructor)
  Losses(std::initializer_list<Loss> losses) : list_(losses), is_list_(true) {}   // NOLINT(google-explicit-constructor)
  Losses(std::vector<Named> named) : named_(std::move(named)) {}                  // NOLINT(google-explicit-constructor)
  Losses(std::initializer_list<Named> named) : named_(named) {}                   // NOLINT(google-explicit-constructor)

  /// One loss an output. Throws ConfigError with Keras' texts when a list has another length or a name is unknown.
  std::vector<Loss> for_outputs(const std::vector<std::string>& outputs) const;

 private:
  Loss all_;
  std::vector<Loss> list_;
  bool is_list_ = false;
  std::vector<Named> named_;
};

/// The share of each output's loss in the total, in order or by name; 1 where nothing is said.
class LossWeights {
 public:
  using Named = std::pair<std::string, double>;

  LossWeights() = default;
  LossWeights(std::vector<double> weights) : list_(std::move(weights)) {}  // NOLINT(google-explicit-constructor)
  LossWeights(std::initializer_list<double> weights) : list_(weights) {}   // NOLINT(google-explicit-constructor)
  LossWeights(std::vector<Named> named) : named_(std::move(named)) {}      // NOLINT(google-explicit-constructor)
  LossWeights(std::initializer_list<Named> named) : named_(named) {}       // NOLINT(google-explicit-constructor)

  /// Throws ConfigError as Losses::for_outputs does.
  std::vector<double> for_outputs(const std::vector<std::string>& outputs) const;

 private:
  std::vector<double> list_;
  std::vector<Named> named_;
};

/// Metrics for every output, `{"accuracy", metrics::AUC()}`, or by the output's name, `{{"priority", {"accuracy"}}}`.
class Metrics {
 public:
  using Named = std::pair<std::string, std::vector<Metric>>;

  Metrics() = default;
  Metrics(std::vector<Metric> metrics) : all_(std::move(metrics)) {}  // NOLINT(google-explicit-constructor)
  Metrics(std::initializer_list<Metric> metrics) : all_(metrics) {}   // NOLINT(google-explicit-constructor)
  Metrics(std::vector<Named> named) : named_(std::move(named)) {}     // NOLINT(google-explicit-constructor)
  Metrics(std::initializer_list<Named> named) : named_(named) {}      // NOLINT(google-explicit-constructor)

  /// The metrics of each output. Throws ConfigError when a name is unknown.
  std::vector<std::vector<Metric>> for_outputs(const std::vector<std::string>& outputs) const;

 private:
  std::vector<Metric> all_;
  std::vector<Named> named_;
};

/// A metric of one output, under the name that logs show.
struct OutputMetric {
  std::size_t output = 0;
  Metric metric;
  std::string name;
  bool weighted = false;  // by sample weights
};

/// What compile() fixed.
struct Objective {
  std::vector<Loss> losses;          // one a model output; some may be empty
  std::vector<double> loss_weights;  // one a model output
  std::vector<OutputMetric> metrics;
  bool scales_loss = false;  // whether a step multiplies the total loss before gradients are taken
};

/// Names are those of the model's outputs. A metric's name begins with its output's where there are several; repeated
/// names get "_1", "_2", ..., those of weighted metrics first "weighted_", as in Keras 3. Throws ConfigError for what
/// does not fit the outputs.
Objective make_objective(const std::vector<std::string>& outputs, const Losses& losses, const LossWeights& weights,
                         const Metrics& metrics, const Metrics& weighted_metrics);

}  // namespace strata
