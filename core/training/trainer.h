// SPDX-License-Identifier: Apache-2.0
// Internal to Model: what compile() made, and the loops over batches and epochs.
#pragma once

#include <functional>
#include <map>

#include "core/model/session.h"
#include "core/training/model.h"
#include "core/training/sample_progress.h"
#include "core/training/step_engine.h"

namespace strata {

/// Arrays of one data set, checked against the model.
struct CheckedArrays {
  std::vector<HostArray> arrays;  // x..., y..., weights...
  DataSpecs specs;
  Dim rows = 0;
  SampleSourceRef source = {};  // of these arrays, instead of them
  PrefetchOptions prefetch = {};

  CheckedArrays rows_between(Dim first, Dim last) const;
  /// All rows, or as many as fill batches.
  CheckedArrays batched(Dim batch_size, const DataUse& use) const;
  /// Gives every sample the weight of its label (the place of the largest target where there are several); 1 where the
  /// label is not listed. Throws ConfigError when there are sample weights or several outputs.
  void add_class_weights(const std::map<std::int64_t, double>& class_weight);
};

/// Checks data against the model's inputs, outputs and losses; the targets of a source when they are read. Without an
/// objective, when predicting, x alone counts. Throws ConfigError for data without samples unless it may be empty.
CheckedArrays check_arrays(const Functional& model, const Objective* objective, const Samples& samples,
                           bool may_be_empty = false);

/// What the logs of a run show: losses are means of the batches' losses, weighted by their samples; metrics are the
/// values of their states.
class RunningLogs {
 public:
  explicit RunningLogs(const std::vector<SumSpec>& specs);
  /// Adds the sums of a batch.
  void add(std::span<const double> sums, Dim samples);
  /// The loss, then (several outputs) each output's loss, then the metrics. Allocates only when first called.
  const Logs& logs();
  /// All that the logs are computed from, and its like, from the same specs.
  const std::vector<double>& totals() const { return totals_; }
  Dim samples() const { return samples_; }
  /// Throws ConfigError when there are not as many totals.
  void restore(const std::vector<double>& totals, Dim samples);

 private:
  std::vector<SumSpec> specs_;
  std::vector<double> totals_;  // of a metric its state, else the sum of samples times loss
  Dim samples_ = 0;
  Logs logs_;
};

/// Runs `act` on this rank; when it throws on any, throws on all: here what it threw here, else IoError naming `path`,
/// the first such rank and its error. Collective.
void succeed_together(Communicator& communicator, const std::string& path, const std::function<void()>& act);

/// Throws ConfigError naming the first rank whose `text` differs from rank 0's, and `what` differs. Collective.
void require_equal(Communicator& communicator, const std::string& text, const std::string& what);

/// Used from one thread. Collective.
class Trainer {
 public:
  /// Without options for a model that only predicts.
  Trainer(std::shared_ptr<Functional> model, const CompileOptions* options);

  /// `self` is the model whose trainer this is, for callbacks.
  History fit(const Model& self, const Arrays& x, const Arrays& y, const FitOptions& options, const DataUse& use);
  std::vector<double> evaluate(const Arrays& x, const Arrays& y, const EvaluateOptions& options, const DataUse& use);
  std::vector<Tensor> predict(const Arrays& x, const PredictOptions& options, const DataUse& use);
  std::vector<double> train_on_batch(const Arrays& x, const Arrays& y, const BatchOptions& options);
  std::vector<double> test_on_batch(const Arrays& x, const Arrays& y, const BatchOptions& options);

  /// The state of the optimizer under Keras' names, in the order of its optimizer.variables: the iteration, the
  /// learning rate unless it follows a schedule, then the slots. Empty before the first step. Collective with a sharded
  /// optimizer, unless only what this rank holds is asked for.
  std::vector<NamedSlot> optimizer_state(SlotExtent extent = SlotExtent::whole) const;
  bool has_optimizer_state() const { return compiled_ && state_ != nullptr; }
  /// Takes what optimizer_state() returned; also without a learning rate, and in the order of tf.keras up to 2.10.
  /// Throws ConfigError or ShapeError for what does not fit; then nothing is changed. Every rank passes the whole
  /// state; not collective.
  void restore_optimizer(const std::vector<Tensor>& values, SlotOrder order);
  /// Steps, samples and epochs so far, on which shuffling and random draws depend.
  Config position() const;
  void restore_position(const Config& position);

  const Objective& objective() const { return objective_; }
  const std::vector<std::string>& metrics_names() const { return names_; }
  std::int64_t iterations() const { return iterations_; }
  const Optimizer& optimizer() const { return optimizer_; }
  Communicator& communicator() const { return communicator_; }
  bool compiled() const { return compiled_; }
  bool is_built() const { return !model_->inputs().empty(); }

 private:
  friend class FitLoop;

  struct EngineKey {
    StepKind kind;
    Dim blocks;
    std::string data;
    std::size_t bucket_bytes;
    bool compress;
    bool own_gradients;
    friend auto operator<=>(const EngineKey&, const EngineKey&) = default;
  };
  /// How an engine is used.
  struct EngineUse {
    Dim blocks = 0;
    double bucket_mb = 0;
    bool compress = false;
    bool finite_only = false;
  };
  /// The engine for such data, made when there is none, with the variables in place and equal on all ranks.
  std::shared_ptr<StepEngine> engine(StepKind kind, const DataSpecs& data, const EngineUse& use);
  std::size_t bucket_bytes(StepKind kind, double bucket_mb);
  bool sums_own_gradients(StepKind kind, bool finite_only) const;
  std::string describe_variables() const;
  /// Builds a model that waits for its first data.
  void build_for(const Arrays& x);
  /// Builds the model, and checks data as it was given to fit, evaluate or predict (without an objective).
  CheckedArrays checked(const Objective* objective, const Samples& samples);
  /// Once the outputs of the model are known.
  void fix_objective();
  void collect_variables();
  void place_variables();
  void share_weights();
  void require_compiled() const;
  std::vector<double> run_single(StepKind kind, const Arrays& x, const Arrays& y, const BatchOptions& options);
  std::vector<double> run_local(StepKind kind, const Arrays& x, const Arrays& y, const BatchOptions& options);
  CheckedArrays checked_batch(const Arrays& x, const Arrays& y, const BatchOptions& options);
  bool is_compiled_for(StepKind kind, const CheckedArrays& data) const;
  std::vector<double> run_batch(StepKind kind, const DataSpecs& data, Dim blocks, Batch batch);
  void name_results(const Logs& logs);
  Logs run_evaluation(const CheckedArrays& data, Dim batch_size, Dim blocks,
                      const std::function<void(Dim, const Logs&)>& seen);
  /// Returns whether the step counts: not when it was left out by `policy`, which can also be to throw NumericError.
  bool train_batch(StepEngine& engine, Batch batch, NanPolicy policy = NanPolicy::ignore);

  std::shared_ptr<Functional> model_;
  Session& session_;
  std::shared_ptr<Communicator> communicator_held_;  // when the caller gave one
  Communicator& communicator_;
  Device& device_;
  bool compiled_ = false;
  bool shard_optimizer_ = false;
  Optimizer optimizer_;
  std::optional<CompileOptions> waiting_;  // until the outputs of the model are known
  Objective objective_;
  std::unique_ptr<FlatState> state_;
  bool shared_ = false;  // whether all ranks have the weights of rank 0
  struct CachedEngine {
    std::shared_ptr<StepEngine> engine;
    std::int64_t last_use;
  };
  static constexpr std::size_t kCachedEngines = 8;  // kinds of data and shapes kept compiled
  std::map<EngineKey, CachedEngine> engines_;
  std::int64_t engine_uses_ = 0;
  std::size_t measured_bucket_bytes_ = 0;     // 0 = not yet
  std::vector<Variable> trainable_, others_;  // as they were when compiled
  std::vector<std::string> names_;
  std::int64_t iterations_ = 0;
  std::int64_t optimizer_steps_ = 0;  // fewer where it left out steps whose gradients were not finite
  std::int64_t samples_seen_ = 0;
  int epochs_ = 0;  // trained since compile: the next one's shuffle
};

}  // namespace strata
