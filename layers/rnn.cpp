// SPDX-License-Identifier: Apache-2.0
#include "layers/rnn.h"

#include "layers/recurrent_layer.h"
#include "layers/registry.h"
#include "layers/simple_rnn.h"
#include "layers/stacked_rnn_cells.h"

namespace strata {
namespace {

std::shared_ptr<Layer> make_rnn(const LayerRef& cell, const layers::RNNOptions& options) {
  const LayerOptions layer{options.name, options.trainable, options.dtype, options.activity_regularizer};
  return std::make_shared<RecurrentLayer>(cell, recurrent_options(options), layer);
}

LayerRef rnn_from_config(const Config& config) {
  const LayerConfig arguments("RNN", config, recurrent_arguments({"cell"}));
  const LayerOptions common = arguments.options();
  layers::RNNOptions options{.activity_regularizer = arguments.regularizer("activity_regularizer"),
                             .name = common.name,
                             .trainable = common.trainable,
                             .dtype = common.dtype};
  read_recurrent_arguments(arguments, options);
  return layers::RNN(arguments.layer("cell"), options);
}

}  // namespace

void layers::RecurrentRef::reset_state() const {
  if (const auto* stateful = dynamic_cast<const KeepsState*>(&layer())) stateful->reset_state();
}

layers::RNN::RNN(const LayerRef& cell, const RNNOptions& options) : RecurrentRef(make_rnn(cell, options)) {}
layers::RNN::RNN(const std::vector<LayerRef>& cells, const RNNOptions& options)
    : RNN(StackedRNNCells(cells, {.dtype = options.dtype}), options) {}

void register_rnn(LayerRegistry& registry) {
  using layers::RNN;
  using layers::SimpleRNNCell;
  registry.add({"RNN",
                rnn_from_config,
                {{"last output",
                  [](Dtype dtype) {
                    return RNN(SimpleRNNCell(3, {.name = "cell_a", .dtype = dtype}), {.name = "rnn", .dtype = dtype});
                  },
                  {{2, 4, 3}}},
                 {"backwards, sequences, states, a state given",
                  [](Dtype dtype) {
                    return RNN(SimpleRNNCell(2, {.activation = "sigmoid", .name = "cell_b", .dtype = dtype}),
                               {.return_sequences = true,
                                .return_state = true,
                                .go_backwards = true,
                                .name = "rnn_states",
                                .dtype = dtype});
                  },
                  {{3, 4, 2}, {3, 2}}}}});
}

}  // namespace strata
