// SPDX-License-Identifier: Apache-2.0
#include "layers/simple_rnn.h"

#include "layers/matrix_cell.h"
#include "layers/recurrent_layer.h"
#include "layers/registry.h"

namespace strata {
namespace {

class SimpleRNNCellLayer final : public MatrixCell {
 public:
  SimpleRNNCellLayer(KernelCellArguments arguments, const LayerOptions& layer)
      : MatrixCell(std::move(arguments), 1, layer) {}
  std::string class_name() const override { return "SimpleRNNCell"; }
  CellStep step(const Tensor& projected, const std::vector<Tensor>& states, const SequenceConstants& constants,
                CallContext&) override {
    const Tensor h = activated(projected + recurrent_product(states[0], constants));
    return {h, {h}};
  }
};

template <class Options>
LayerRef make_cell(Dim units, const Options& o, const std::string& name) {
  return make_layer<SimpleRNNCellLayer>(kernel_cell_arguments(units, o), LayerOptions{name, o.trainable, o.dtype});
}

LayerRef cell_from_config(const Config& config) {
  const LayerConfig arguments("SimpleRNNCell", config, cell_arguments({"units"}));
  layers::SimpleRNNCellOptions options;
  read_cell_arguments(arguments, options);
  return layers::SimpleRNNCell(arguments.integer("units"), options);
}

LayerRef layer_from_config(const Config& config) {
  const LayerConfig arguments("SimpleRNN", config, recurrent_arguments(cell_arguments({"units"})));
  layers::SimpleRNNOptions options;
  read_cell_arguments(arguments, options);
  read_recurrent_arguments(arguments, options);
  return layers::SimpleRNN(arguments.integer("units"), options);
}

}  // namespace

layers::SimpleRNNCell::SimpleRNNCell(Dim units, const SimpleRNNCellOptions& options)
    : LayerRef(make_cell(units, options, options.name)) {}

layers::SimpleRNN::SimpleRNN(Dim units, const SimpleRNNOptions& options)
    : RecurrentRef(make_named_recurrent("SimpleRNN", make_cell(units, options, "simple_rnn_cell"), options)) {}

void register_simple_rnn(LayerRegistry& registry) {
  using layers::SimpleRNN;
  using layers::SimpleRNNCell;
  registry.add({"SimpleRNNCell",
                cell_from_config,
                {{"one step",
                  [](Dtype dtype) { return SimpleRNNCell(3, {.name = "simple_rnn_cell", .dtype = dtype}); },
                  {{2, 5}, {2, 3}}}}});
  registry.add(
      {"SimpleRNN",
       layer_from_config,
       {{"last output", [](Dtype dtype) { return SimpleRNN(3, {.name = "simple_rnn", .dtype = dtype}); }, {{2, 4, 5}}},
        {"sequences, no bias, dropout",
         [](Dtype dtype) {
           return SimpleRNN(2, {.activation = "sigmoid",
                                .use_bias = false,
                                .dropout = 0.4,
                                .recurrent_dropout = 0.3,
                                .return_sequences = true,
                                .seed = 4,
                                .name = "simple_rnn_dropout",
                                .dtype = dtype});
         },
         {{2, 3, 3}}}}});
}

}  // namespace strata
