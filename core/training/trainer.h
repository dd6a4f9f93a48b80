// SPDX-License-Identifier: Apache-2.0
// Internal to Model: what compile() made, and the loops over batches and epochs.
#pragma once

#include <functional>
#include <map>

#include "core/model/session.h"
#include "core/training/model.h"
#include "core/training/progress_bar.h"
#include "core/training/step_engine.h"

namespace strata {

/// Arrays of one data set, checked against the model.
struct Dataset {
  std::vector<HostArray> arrays;  // x..., y..., weights...
  DataSpecs specs;
  Dim rows = 0;

  Dataset part(Dim first, Dim last) const;
};

/// Checks data against the model's inputs, outputs and losses. `y` may be empty when predicting.
Dataset make_dataset(const Functional& model, const Objective* objective, const Arrays& x, const Arrays& y,
                     const Arrays& sample_weight);

/// Means over the samples seen so far: what the logs of a run show.
class RunningMeans {
 public:
  explicit RunningMeans(const std::vector<SumSpec>& specs);
  /// Adds the sums of a batch.
  void add(std::span<const double> sums, Dim samples);
  void reset();
  /// The loss, then (several outputs) each output's loss, then the metrics. Allocates only when first called.
  const Logs& logs();

 private:
  std::vector<SumSpec> specs_;
  std::vector<double> totals_;
  Dim samples_ = 0;
  bool several_;  // outputs with losses
  Logs logs_;
};

/// Throws ConfigError naming the first rank whose `text` differs from rank 0's, and `what` differs. Collective.
void require_equal(Communicator& communicator, const std::string& text, const std::string& what);

/// Used from one thread. Collective.
class Trainer {
 public:
  Trainer(std::shared_ptr<Functional> model, const CompileOptions* options);

  History fit(const Arrays& x, const Arrays& y, const FitOptions& options);
  std::vector<double> evaluate(const Arrays& x, const Arrays& y, const EvaluateOptions& options);
  std::vector<Tensor> predict(const Arrays& x, const PredictOptions& options);
  std::vector<double> train_on_batch(const Arrays& x, const Arrays& y, const Arrays& sample_weight);
  std::vector<double> test_on_batch(const Arrays& x, const Arrays& y, const Arrays& sample_weight);

  const std::vector<std::string>& metrics_names() const { return names_; }
  std::int64_t iterations() const { return iterations_; }
  Optimizer& optimizer() { return optimizer_; }
  bool compiled() const { return compiled_; }

 private:
  friend class FitLoop;

  struct EngineKey {
    StepKind kind;
    Dim blocks;
    std::string data;
    friend auto operator<=>(const EngineKey&, const EngineKey&) = default;
  };
  /// The engine for such data, made when there is none, with the variables in place and equal on all ranks.
  StepEngine& engine(StepKind kind, const DataSpecs& data, Dim blocks);
  void place_variables();
  void share_weights();
  void require_compiled() const;
  std::vector<double> run_single(StepKind kind, const Arrays& x, const Arrays& y, const Arrays& sample_weight);
  Logs run_evaluation(const Dataset& data, Dim batch_size, Dim blocks, const std::function<void(Dim, const Logs&)>& seen);
  void train_batch(StepEngine& engine, Batch batch);

  std::shared_ptr<Functional> model_;
  Session& session_;
  Communicator& communicator_;
  Device& device_;
  bool compiled_ = false;
  Optimizer optimizer_;
  Objective objective_;
  std::unique_ptr<FlatState> state_;
  bool shared_ = false;  // whether all ranks have the weights of rank 0
  std::map<EngineKey, std::unique_ptr<StepEngine>> engines_;
  std::vector<std::string> names_;
  std::int64_t iterations_ = 0;
  std::int64_t samples_seen_ = 0;
};

}  // namespace strata
