// SPDX-License-Identifier: Apache-2.0
// Model: a graph of layers that can be trained. In a world of several ranks fit, evaluate and predict are data-parallel:
// every rank calls them with the same arguments and data, and rank 0 alone prints.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/model/functional.h"
#include "core/training/callback.h"
#include "core/training/host_array.h"
#include "core/training/loss.h"
#include "core/training/metric.h"
#include "core/training/optimizer.h"

namespace strata {

/// One loss for every output, or one an output.
class Losses {
 public:
  Losses() = default;
  Losses(Loss loss) : losses_{std::move(loss)} {}                        // NOLINT(google-explicit-constructor)
  Losses(const char* name) : losses_{Loss(name)} {}                      // NOLINT(google-explicit-constructor)
  Losses(std::vector<Loss> losses) : losses_(std::move(losses)), list_(true) {}        // NOLINT(google-explicit-constructor)
  Losses(std::initializer_list<Loss> losses) : losses_(losses), list_(true) {}  // NOLINT(google-explicit-constructor)

  /// One loss an output. Throws ConfigError with Keras' text when a list has another length.
  std::vector<Loss> for_outputs(std::size_t outputs) const;

 private:
  std::vector<Loss> losses_;
  bool list_ = false;
};

struct CompileOptions {
  Optimizer optimizer = "rmsprop";
  Losses loss = {};
  std::vector<double> loss_weights = {};  // one an output; empty = all 1
  std::vector<Metric> metrics = {};       // applied to every output
};

struct ValidationData {
  Arrays x = {};
  Arrays y = {};
  Arrays sample_weight = {};
};

struct FitOptions {
  Dim batch_size = 32;               // the global batch: all ranks together
  int epochs = 1;
  int verbose = 1;                   // 0 silent, 1 progress bar, 2 one line an epoch
  std::vector<std::shared_ptr<Callback>> callbacks = {};
  double validation_split = 0.0;     // this last part of the data is kept for validation
  ValidationData validation_data = {};
  bool shuffle = true;
  Arrays sample_weight = {};              // one weight a sample, for each output or for the only one
  int initial_epoch = 0;
  Dim steps_per_epoch = 0;           // 0 = all data
  Dim max_steps = 0;                 // training ends after so many steps in all; 0 = no limit
  Dim blocks = 0;                    // of every batch, over all ranks; 0 = one a rank. Fixed blocks give equal bits on any ranks
};

struct EvaluateOptions {
  Dim batch_size = 32;
  int verbose = 1;
  Arrays sample_weight = {};
  Dim blocks = 0;
};

struct PredictOptions {
  Dim batch_size = 32;
  int verbose = 0;
  bool local = false;  // every rank returns its own rows only; else rank 0 returns all, the others none
  Dim blocks = 0;
};

class Trainer;

/// A handle; copies mean the same model. Not thread-safe.
class Model : public LayerRef {
 public:
  Model(const Tensor& input, const Tensor& output, const std::string& name = "");
  Model(std::vector<Tensor> inputs, std::vector<Tensor> outputs, const std::string& name = "");
  /// A model made elsewhere, such as a Sequential.
  explicit Model(std::shared_ptr<Functional> graph);

  const Functional& graph() const { return *graph_; }
  const std::vector<LayerRef>& layers() const { return graph_->layers(); }
  /// Throws ConfigError "No such layer: x".
  LayerRef get_layer(const std::string& name) const { return graph_->get_layer(name); }
  LayerRef get_layer(int index) const { return graph_->get_layer(index); }
  /// Prints Keras' table to standard output, on rank 0.
  void summary() const;

  /// Fixes optimizer, losses and metrics. Training starts from the current weights with fresh optimizer slots.
  void compile(const CompileOptions& options);

  /// Trains. Throws ConfigError for options or data that do not fit, CommError when a rank fails to answer. Returns the
  /// history, equal on all ranks.
  History fit(const Arrays& x, const Arrays& y, const FitOptions& options = {});
  /// The loss, then (several outputs) each output's loss, then the metrics: see metrics_names().
  std::vector<double> evaluate(const Arrays& x, const Arrays& y, const EvaluateOptions& options = {});
  /// The only output for every row of x.
  Tensor predict(const Arrays& x, const PredictOptions& options = {});
  /// Every output for every row of x.
  std::vector<Tensor> predict_all(const Arrays& x, const PredictOptions& options = {});

  /// One step on one global batch; returns as evaluate does.
  std::vector<double> train_on_batch(const Arrays& x, const Arrays& y, const Arrays& sample_weight = {});
  std::vector<double> test_on_batch(const Arrays& x, const Arrays& y, const Arrays& sample_weight = {});
  Tensor predict_on_batch(const Arrays& x);

  /// "loss", "accuracy", ...: what evaluate returns, once it or fit has run.
  std::vector<std::string> metrics_names() const;
  /// Training steps done since compile.
  std::int64_t iterations() const;
  /// A hash (XXH64) of all weights in Keras' order.
  std::uint64_t weights_hash() const;

 private:
  Trainer& trainer() const;

  std::shared_ptr<Functional> graph_;
  std::shared_ptr<Trainer> trainer_;
};

}  // namespace strata
