// SPDX-License-Identifier: Apache-2.0
// Model: a graph of layers that can be trained. In a world of several ranks fit, evaluate and predict are
// data-parallel: every rank calls them with the same arguments and data, and rank 0 alone prints.
#pragma once

#include <concepts>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/model/config_dialect.h"
#include "core/model/functional.h"
#include "core/model/layer_classes.h"
#include "core/model/sequential.h"
#include "core/model/subclassed.h"
#include "core/model/summary.h"
#include "core/program/communicator.h"
#include "core/training/callback.h"
#include "core/training/checkpoint.h"
#include "core/training/dataset.h"
#include "core/training/objective.h"
#include "core/training/optimizer.h"

namespace strata {

/// Designated initialisers go in this order, here and in all options.
struct CompileOptions {
  Optimizer optimizer = "rmsprop";
  Losses loss = {};
  LossWeights loss_weights = {};
  Metrics metrics = {};           // without regard to sample weights
  Metrics weighted_metrics = {};  // with them
  bool auto_scale_loss = true;    // with a model of policy mixed_float16 the optimizer becomes a LossScaleOptimizer
  std::shared_ptr<Communicator> communicator = {};  // the ranks that train together; null = the session's
  // Each rank keeps and updates its share of the optimizer's state only (ZeRO stage 1): less memory, equal bits.
  bool shard_optimizer = false;
};

/// What training does about a step whose gradients are not all finite.
enum class NanPolicy {
  ignore,  // nothing, as Keras: the weights take what comes
  skip,    // leaves the step out
  stop,    // throws NumericError before the weights are changed
};

struct FitOptions {
  Dim batch_size = 32;  // the global batch: all ranks together
  int epochs = 1;
  int verbose = 1;  // 0 silent, 1 progress bar, 2 one line an epoch
  std::vector<CallbackRef> callbacks = {};
  double validation_split = 0.0;  // this last part of the data is kept for validation
  Samples validation_data = {};   // also a Dataset
  bool shuffle = true;
  Arrays sample_weight = {};  // (n,), or (n, ...) for weights of positions; one array an output, or one for all outputs
  std::map<std::int64_t, double> class_weight = {};  // weights of samples by label; not with sample_weight
  int initial_epoch = 0;
  Dim steps_per_epoch = 0;  // 0 = all data; at most that
  Dim max_steps = 0;        // training ends after so many steps since compile; 0 = no limit
  Dim blocks = 0;           // of every batch, over all ranks; 0 = one a rank. Fixed blocks give equal bits on any ranks
  NanPolicy nan_policy = NanPolicy::ignore;
  double bucket_mb = 0.0;  // megabytes of gradients that are summed in one go; 0 = as measured at the start
  // float32 gradients travel between hosts as bfloat16, with error feedback: half the bytes, but bits then depend on
  // which ranks share a host.
  bool compress_transfer = false;
  CheckpointOptions checkpoint = {};
  // Where the run begins: "auto" = at the newest complete checkpoint in that directory, "never" = anew, or the step of
  // one of them. Not "auto", newer ones are set aside under another name.
  std::string resume = "auto";
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

/// Options of train_on_batch and test_on_batch.
struct BatchOptions {
  Arrays sample_weight = {};
  std::map<std::int64_t, double> class_weight = {};
  Dim blocks = 0;
  // Every rank passes samples of its own, as many as it has, also none (arrays of 0 rows): together they are the batch,
  // in the order of ranks, cut into one block a rank. A step compiles for a number of samples that its rank has not had
  // among the last 32 such numbers. See host_view for samples in memory of the program's own layout.
  bool local = false;
};

struct SaveOptions {
  bool include_optimizer = true;                  // and what the model was compiled with
  ConfigDialect dialect = ConfigDialect::keras3;  // keras2: for tf.keras, whose readers refuse what Keras 3 added
};

struct LoadWeightsOptions {
  bool by_name = false;        // layers of equal names, instead of all layers in order
  bool skip_mismatch = false;  // leaves out what does not fit
};

struct LoadOptions {
  CustomObjects custom_objects = {};                // beside those that the program made known for good
  bool compile = true;                              // as the saved model was, with the state of its optimizer
  std::shared_ptr<Communicator> communicator = {};  // of compile
};

/// A hash (XXH64) of the elements of all variables, in order.
std::uint64_t hash_weights(const std::vector<Variable>& variables);

/// A handle; copies mean the same model. Not thread-safe.
class Model : public LayerRef {
 public:
  /// Each a tensor, a list, or by name: see Functional.
  Model(const Arrays& inputs, const Arrays& outputs, const std::string& name = "");
  /// A model made elsewhere, such as a Sequential.
  explicit Model(std::shared_ptr<Functional> graph);
  /// A subclassed model; see make_model.
  explicit Model(std::shared_ptr<SubclassedModel> model);

  const Functional& graph() const;
  const std::vector<LayerRef>& layers() const { return graph().layers(); }
  /// Throws ConfigError "No such layer: x".
  LayerRef get_layer(const std::string& name) const { return graph().get_layer(name); }
  LayerRef get_layer(int index) const { return graph().get_layer(index); }
  /// Prints Keras' table, on rank 0: `model.summary({.expand_nested = true})`. Throws ConfigError when the model is not
  /// built or the options do not fit.
  void summary(const SummaryOptions& options = {}) const;

  /// {"class_name", "config", "keras_version", "backend"}: the layers and how they are called, without weights. Throws
  /// ConfigError for layers that cannot be described.
  std::string to_json() const;
  /// Writes layers, weights, and unless told otherwise losses, metrics, optimizer and its state into one HDF5 file that
  /// Keras reads. Collective: rank 0 writes, and the file is there, whole, when this returns. Throws ConfigError unless
  /// the path ends with .h5 or .hdf5, IoError on all ranks when it cannot be written.
  void save(const std::string& path, const SaveOptions& options = {}) const;
  /// The weights alone, likewise. Under a name that ends with .weights.h5 in Keras 3's own layout, to which the state
  /// of an optimizer that has begun belongs; under others as Keras before it.
  void save_weights(const std::string& path) const;
  /// Sets the weights from a file of any of these kinds; every rank reads. Throws IoError naming the layer that does
  /// not fit, before anything is changed. The state of an optimizer that has begun is set, too, from Keras 3's layout.
  void load_weights(const std::string& path, const LoadWeightsOptions& options = {}) const;

  /// Fixes optimizer, losses and metrics. Training starts from the current weights with fresh optimizer slots.
  void compile(const CompileOptions& options);

  /// Trains. Throws ConfigError for options or data that do not fit, also to the checkpoint that it continues from,
  /// naming what differs; CommError when a rank fails to answer; IoError on all ranks when a checkpoint can be neither
  /// written nor, with none before it that is whole, read. Returns the history, equal on all ranks, with what it was
  /// before a run was continued.
  History fit(const Arrays& x, const Arrays& y, const FitOptions& options = {});
  /// Trains on a dataset in its own order and batches, whatever the options say of batch_size and shuffle; progress
  /// counts steps. Throws ConfigError as well when the options hold sample weights or a validation_split.
  History fit(const Dataset& data, const FitOptions& options = {});
  /// The loss, then (several outputs) each output's loss, then the metrics: see metrics_names().
  std::vector<double> evaluate(const Arrays& x, const Arrays& y, const EvaluateOptions& options = {});
  std::vector<double> evaluate(const Dataset& data, const EvaluateOptions& options = {});
  /// The only output for every row of x.
  Tensor predict(const Arrays& x, const PredictOptions& options = {});
  Tensor predict(const Dataset& data, const PredictOptions& options = {});
  /// Every output for every row of x.
  std::vector<Tensor> predict_all(const Arrays& x, const PredictOptions& options = {});
  std::vector<Tensor> predict_all(const Dataset& data, const PredictOptions& options = {});
  /// Every output, by its name.
  std::map<std::string, Tensor> predict_by_name(const Arrays& x, const PredictOptions& options = {});
  /// Calls the model on tensors by the names of its inputs, and returns what its outputs' names stand for. Throws
  /// ConfigError naming the input that is missing.
  std::map<std::string, Tensor> call_by_name(const Arrays& inputs) const;

  /// One step on one global batch; returns as evaluate does.
  std::vector<double> train_on_batch(const Arrays& x, const Arrays& y, const BatchOptions& options = {});
  std::vector<double> test_on_batch(const Arrays& x, const Arrays& y, const BatchOptions& options = {});
  Tensor predict_on_batch(const Arrays& x);

  /// "loss", "accuracy", ...: what evaluate returns, once it or fit has run.
  std::vector<std::string> metrics_names() const;
  /// Training steps done since compile.
  std::int64_t iterations() const;
  /// A hash (XXH64) of all weights in Keras' order.
  std::uint64_t weights_hash() const { return hash_weights(weights()); }

  /// The optimizer given to compile(). Throws ConfigError before that.
  Optimizer optimizer() const;

 private:
  friend Model load_model(const std::string& path, const LoadOptions& options);
  struct State;
  Config serialized() const;
  Communicator& communicator() const;
  std::shared_ptr<State> state_;
};

/// Reads a file that Model::save or Keras wrote in its HDF5 layout. A model that was saved compiled is compiled, and
/// its training goes on as if it had never stopped. Every rank reads the file. Throws IoError naming the file, and what
/// in it does not fit; among it layers, losses, metrics and the like of the program's own that it did not make known,
/// each by its name: `load_model("m.h5", {.custom_objects = {{"CustomDense", factory}, {"quantile_loss", function}}})`.
Model load_model(const std::string& path, const LoadOptions& options = {});
/// From {"class_name", "config"} as tf.keras 2 or Keras 3 writes it: the same layers, with new weights. Throws
/// ConfigError for what cannot be read.
Model model_from_config(const Config& config, const CustomObjects& custom_objects = {});
Model model_from_json(const std::string& json, const CustomObjects& custom_objects = {});
/// The same layers under the same names, with new weights.
Model clone_model(const Model& model);

/// A handle on a subclassed model that also reaches the members of its class: `model->encode(x)`.
template <std::derived_from<SubclassedModel> M>
class ModelOf : public Model {
 public:
  explicit ModelOf(std::shared_ptr<M> model)
      : Model(std::shared_ptr<SubclassedModel>(model)), model_(std::move(model)) {}
  M& operator*() const { return *model_; }
  M* operator->() const { return model_.get(); }

 private:
  std::shared_ptr<M> model_;
};

/// A subclassed model, ready to be called and trained: `auto mlp = make_model<MLP>(10); mlp.compile(...);`
template <std::derived_from<SubclassedModel> M, class... Args>
ModelOf<M> make_model(Args&&... args) {
  return ModelOf<M>(std::make_shared<M>(std::forward<Args>(args)...));
}

/// A model that is a chain of layers: `Sequential({Input({784}), layers::Dense(64), layers::Dense(10)})`. Without an
/// Input it is built by the first data it sees.
class Sequential : public Model {
 public:
  Sequential(std::initializer_list<SequentialEntry> entries = {}, const std::string& name = "");
  /// Throws ConfigError when the layer does not fit; see SequentialGraph. Not to be called after compile().
  void add(const SequentialEntry& entry) { chain_->add(entry); }
  /// Removes the last layer.
  void pop() { chain_->pop(); }

 private:
  explicit Sequential(std::shared_ptr<SequentialGraph> chain) : Model(chain), chain_(std::move(chain)) {}
  std::shared_ptr<SequentialGraph> chain_;
};

}  // namespace strata
