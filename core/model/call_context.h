// SPDX-License-Identifier: Apache-2.0
// What a layer sees of the step that calls it.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/config.h"
#include "core/ops/ops.h"
#include "core/tensor/variable.h"

namespace strata {

/// What the caller of a layer may say. Tensors among it become inputs of a symbolic call.
struct CallOptions {
  std::optional<bool> training = {};       // empty = as the outer call, false outermost
  std::vector<Tensor> mask = {};           // one per input; missing ones and empty handles = the mask it came with
  std::vector<Tensor> initial_state = {};  // of recurrent layers
  Tensor attention_mask = {};              // of attention layers: bool (batch, query steps, key steps), who sees whom
  bool return_attention_scores = false;    // of attention layers: a second output
  bool use_causal_mask = false;            // of attention layers: no step sees later ones
  /// What else the layer's call takes, by name; null = nothing: `Config::object({{"scale", 2.0}})`. A symbolic call
  /// keeps it, and files hold it as Keras' keyword arguments.
  Config arguments = {};
};

/// How the values that blocks computed for one state become the new state.
enum class Combine {
  mean,  // the state becomes the mean over blocks, weighted by their samples: moving averages
  sum,   // the state grows by the sum over blocks: counters
  rows,  // row i of the state is that of sample i of the batch, which every block knows for its samples
};

/// A new value for a variable that training changes without a gradient.
struct StateUpdate {
  Variable variable = {};
  Tensor value = {};  // of the variable's spec
  Combine combine = Combine::mean;
};

/// A scalar that a layer adds to the loss.
struct AddedLoss {
  Tensor value = {};
  Combine combine = Combine::mean;
};

/// One trace of a model's function: what is common to all its layer calls, and what they left behind.
struct Trace {
  bool training = false;
  Tensor random_state = {};               // int64 [3]: seed, step, global sample index of row 0
  std::vector<StateUpdate> updates = {};  // one per variable, the last that was given
  std::vector<AddedLoss> losses = {};     // from add_loss
  /// In one block of a batch: which sample of the batch row 0 is, an int64 scalar. Empty when rows are the whole batch.
  Tensor first_row = {};
};

/// Handed to Layer::call. Lives for one call, in one thread.
class CallContext {
 public:
  /// `path` is unique to this call within the model, such as "encoder#0/dropout_1#0"; "" for the outermost model.
  /// `training` is what holds for the call, whatever options.training says.
  CallContext(Trace& trace, std::string path, bool training, const CallOptions& options = {})
      : trace_(trace), path_(std::move(path)), training_(training), options_(options) {}

  bool training() const { return training_; }
  const std::string& path() const { return path_; }
  /// A key that differs for every draw of every call in a step.
  RandomKey random_key();

  /// Which time steps of input `i` count: bool, usually (batch, time). The caller's, else the one that the input came
  /// with from the layer that made it in the model; an empty handle when there is none.
  const Tensor& mask(std::size_t i = 0) const;
  /// Those of all inputs, up to the last that has one.
  const std::vector<Tensor>& masks() const { return options_.mask; }
  /// The caller's; empty when it gave none.
  const std::vector<Tensor>& initial_state() const { return options_.initial_state; }
  /// The caller's; an empty handle when it gave none.
  const Tensor& attention_mask() const { return options_.attention_mask; }
  bool return_attention_scores() const { return options_.return_attention_scores; }
  bool use_causal_mask() const { return options_.use_causal_mask; }
  /// The caller's argument of this name; `otherwise` when it gave none. A call that ends without having asked for an
  /// argument it was given is an error, as in Keras.
  Config argument(const std::string& name, Config otherwise = {}) const;
  /// Throws ConfigError "call() got an unexpected keyword argument 'scale'" unless the call asked for all it was given.
  void check_arguments(const std::string& layer) const;

  /// Sets `variable` after the step, in training and inference. Several updates of one variable in a step (a layer that
  /// is called twice) apply in the order of the calls: each starts from value(variable), and the last one is what the
  /// step leaves behind. Throws ShapeError or DtypeError when `value` cannot have the variable's spec, ConfigError when
  /// an earlier update of the variable combines in another way.
  void update(const Variable& variable, const Tensor& value, Combine combine);
  /// What `variable` will be after the updates so far; its present value when there are none.
  Tensor value(const Variable& variable) const;
  /// Whether the rows are those of one block of the batch, which may have fewer samples than the batch.
  bool is_block() const { return bool(trace_.first_row); }
  /// For variables whose axis 0 is the batch: what value() has in the rows of this call's samples, of which there are
  /// `samples` (those of one block, where the batch is cut into several).
  Tensor rows_of_batch(const Variable& variable, Dim samples) const;
  /// Sets those rows after the step, as update() does with Combine::rows. All blocks together set all rows; the engine
  /// throws ConfigError when a batch has another number of samples than `variable` has rows.
  void update_rows_of_batch(const Variable& variable, const Tensor& rows);
  /// Adds a scalar to the loss. Where a step has several blocks: the mean of their scalars, weighted by their samples,
  /// or with Combine::sum their sum, which suits a sum over samples. Throws ShapeError for any other shape.
  void add_loss(const Tensor& loss, Combine combine = Combine::mean);
  /// The context of a layer called within this one. Calls of one name are numbered: "path/name#0", "path/name#1".
  CallContext nested(const std::string& name, const CallOptions& options);

  /// Gives the masks that the inputs came with; those that the caller gave stay.
  void set_input_masks(const std::vector<Tensor>& masks);
  /// The masks of the outputs, known once the layer has run: one per output, empty handles for none.
  const std::vector<Tensor>& output_masks() const { return output_masks_; }
  void set_output_masks(std::vector<Tensor> masks) { output_masks_ = std::move(masks); }

  /// The layer call that this thread is in the middle of; null outside of layers.
  static CallContext* current();

 private:
  Trace& trace_;
  std::string path_;
  bool training_;
  CallOptions options_;  // its masks become those of the inputs where the caller gave none
  std::vector<Tensor> output_masks_;
  int draws_ = 0;
  std::unordered_map<std::string, int> calls_;
  mutable std::set<std::string> asked_;  // names of arguments
};

/// Makes `context` this thread's current one until the end of the scope; null = as outside of layers.
class CallScope {
 public:
  explicit CallScope(CallContext* context);
  ~CallScope();
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;

 private:
  CallContext* previous_;
};

}  // namespace strata
