// SPDX-License-Identifier: Apache-2.0
#include "layers/recurrent_layer.h"

#include <numeric>

#include "core/base/error.h"
#include "core/model/layer_classes.h"
#include "layers/time_loop.h"

namespace strata {
namespace {

/// The same tensor with axes 0 and 1, batch and time, in each other's place.
Tensor swap_batch_and_time(const Tensor& x) {
  std::vector<int> permutation(static_cast<std::size_t>(x.rank()));
  std::iota(permutation.begin(), permutation.end(), 0);
  std::swap(permutation[0], permutation[1]);
  return ops::transpose(x, permutation);
}

Tensor first_step(const Tensor& time_major) {
  std::vector<Dim> end(static_cast<std::size_t>(time_major.rank()), None);
  end[0] = 1;
  const Tensor first = ops::slice(time_major, std::vector<Dim>(end.size(), 0), end);
  return ops::reshape(first, time_major.shape().slice(1, time_major.rank()));
}

Tensor as_dtype(const Tensor& x, Dtype dtype) { return x.dtype() == dtype ? x : ops::cast(x, dtype); }

std::vector<InputSpec> input_specs(int rank) {
  InputSpec sequences;
  if (rank > 0) sequences.rank = rank;
  else sequences.min_rank = 3;
  return {sequences, InputSpec{}};
}

/// The mask (batch, time) as the loop reads it: bool, time first.
Tensor time_major_mask(const Tensor& mask, const std::string& layer) {
  if (mask.rank() != 2) {
    throw ShapeError("Layer " + layer + ": expected a mask of shape (batch, time), received " + mask.spec().str());
  }
  return ops::transpose(as_dtype(mask, Dtype::boolean), {1, 0});
}

}  // namespace

RecurrentLayer::RecurrentLayer(LayerRef cell, const RecurrentOptions& options, const LayerOptions& layer, int rank)
    : Layer(layer),
      cell_layer_(track(std::move(cell))),
      cell_(as_cell(cell_layer_, "The RNN cell should have a")),
      options_(options),
      activity_regularizer_(layer.activity_regularizer) {
  set_supports_masking();
  set_input_spec(input_specs(rank));
}

void RecurrentLayer::build_many(const std::vector<Shape>& inputs) {
  const Shape& sequences = inputs.at(0);
  const Shape step = Shape{sequences[0]}.concat(sequences.slice(2, sequences.rank()));
  cell_.ensure_built({{step, compute_dtype()}});
  if (!options_.stateful) return;
  if (sequences[0] == None) {
    throw ConfigError("When using `stateful=True` in a RNN, the batch size must be static. Found dynamic batch size: " +
                      ("sequence.shape=" + sequences.str()));
  }
  for (const Shape& shape : cell_.state_size()) {
    const Tensor zeros = ops::zeros(Shape{sequences[0]}.concat(shape), variable_dtype());
    states_.emplace_back(name() + "/rnn_state", zeros, false);
  }
}

void RecurrentLayer::check_unroll(const Tensor& sequences) const {
  if (!options_.unroll || sequences.shape()[1] != None) return;
  throw ConfigError(
      "Cannot unroll a RNN if the time dimension is undefined. \n"
      "- If using a Sequential model, specify the time dimension by passing an `Input()` as your first layer.\n"
      "- If using the functional API, specify the time dimension by passing a `shape` or `batch_shape` argument to "
      "your `Input()`.");
}

// In a block of a batch the engine checks the batch's size.
void RecurrentLayer::check_batch(const Tensor& sequences, const CallContext& context) const {
  if (states_.empty() || context.is_block()) return;
  const Dim expected = states_[0].shape()[0], received = sequences.shape()[0];
  if (dims_fit(expected, received)) return;
  throw ConfigError(
      "If an RNN is stateful, the batch size of the input sequences must be the same as the batch size of the initial "
      "state. \n- Expected batch size: " +
      std::to_string(expected) + "\n- Received batch size: " + std::to_string(received) + " (layer " + name() + ")");
}

std::vector<Tensor> RecurrentLayer::initial_state(const std::vector<Tensor>& inputs, const Tensor& first,
                                                  CallContext& context) const {
  std::vector<Tensor> given(inputs.begin() + 1, inputs.end());
  if (given.empty()) given = context.initial_state();
  if (given.empty()) {
    for (const Variable& state : states_) given.push_back(context.rows_of_batch(state, first.shape()[0]));
  }
  if (given.empty()) given = cell_.get_initial_state(first);
  const std::vector<Shape> shapes = cell_.state_size();
  if (given.size() != shapes.size()) {
    throw ConfigError("Layer " + name() + " expects " + std::to_string(shapes.size()) + " state(s), but it received " +
                      std::to_string(given.size()) + " initial state(s).");
  }
  for (std::size_t i = 0; i < given.size(); ++i) {
    const Shape expected = Shape{first.shape()[0]}.concat(shapes[i]);
    if (!shapes_fit(given[i].shape(), expected)) {
      throw ShapeError("Layer " + name() + ": expected initial state " + std::to_string(i) + " of shape " +
                       expected.str() + ", received " + given[i].shape().str());
    }
    given[i] = as_dtype(given[i], cell_.compute_dtype());
  }
  return given;
}

std::vector<Tensor> RecurrentLayer::call_many(const std::vector<Tensor>& inputs, CallContext& context) {
  check_unroll(inputs[0]);
  check_batch(inputs[0], context);
  TimeLoop loop{.cell = cell_, .options = options_};
  loop.sequences = swap_batch_and_time(as_dtype(inputs[0], cell_.compute_dtype()));
  if (context.mask()) loop.mask = time_major_mask(context.mask(), name());
  loop.initial = initial_state(inputs, first_step(loop.sequences), context);
  TimeLoopResult result = run_time_loop(loop, first_step(loop.sequences), context);

  for (std::size_t i = 0; i < states_.size(); ++i) {
    context.update_rows_of_batch(states_[i], as_dtype(result.states[i], variable_dtype()));
  }
  const Tensor output = options_.return_sequences ? swap_batch_and_time(result.output) : result.output;
  std::vector<Tensor> outputs{as_dtype(output, compute_dtype())};
  if (options_.return_state) {
    for (const Tensor& state : result.states) outputs.push_back(as_dtype(state, compute_dtype()));
  }
  return outputs;
}

std::vector<Tensor> RecurrentLayer::compute_mask(const std::vector<Tensor>&, const std::vector<Tensor>& masks,
                                                 CallContext&) {
  return options_.return_sequences && !masks.empty() ? std::vector<Tensor>{masks[0]} : std::vector<Tensor>{};
}

void RecurrentLayer::reset_state() const {
  for (const Variable& state : states_) state.assign(ops::zeros(state.shape(), state.spec().dtype));
}

Config RecurrentLayer::recurrent_config() const {
  return Config::object({{"return_sequences", options_.return_sequences},
                         {"return_state", options_.return_state},
                         {"go_backwards", options_.go_backwards},
                         {"stateful", options_.stateful},
                         {"unroll", options_.unroll},
                         {"zero_output_for_mask", options_.zero_output_for_mask},
                         {"activity_regularizer", activity_regularizer_.config()}});
}

Config RecurrentLayer::config() const {
  Config config = recurrent_config();
  return config.set("cell", serialize_layer(cell_));
}

Config NamedRecurrentLayer::config() const {
  Config config = recurrent_config();
  for (const auto& [key, value] : cell().config().as_object()) config.set(key, value);
  return config;
}

void refuse_time_major(const LayerConfig& arguments) {
  if (!arguments.flag("time_major", false)) return;
  throw ConfigError("`time_major=True` is not supported: Keras 3 has no such argument. Transpose the input instead.");
}

std::vector<std::string> recurrent_arguments(const std::vector<std::string>& more) {
  std::vector<std::string> all = {"return_sequences", "return_state",         "go_backwards",         "stateful",
                                  "unroll",           "zero_output_for_mask", "activity_regularizer", "time_major"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace strata
