// SPDX-License-Identifier: Apache-2.0
#include "layers/lstm.h"

#include "layers/gate_math.h"
#include "layers/matrix_cell.h"
#include "layers/recurrent_layer.h"
#include "layers/registry.h"

namespace strata {
namespace {

class LSTMCellLayer final : public MatrixCell {
 public:
  LSTMCellLayer(KernelCellArguments arguments, bool unit_forget_bias, const LayerOptions& layer)
      : MatrixCell(std::move(arguments), 4, layer), unit_forget_bias_(unit_forget_bias) {}

  std::string class_name() const override { return "LSTMCell"; }
  Config config() const override { return MatrixCell::config().set("unit_forget_bias", unit_forget_bias_); }
  std::vector<Shape> state_size() const override { return {{units()}, {units()}}; }

  CellStep step(const Tensor& projected, const std::vector<Tensor>& states, const SequenceConstants& constants,
                CallContext&) override {
    return lstm_step(projected, recurrent_product(states[0], constants), states[1], arguments().activation,
                     *arguments().recurrent_activation);
  }

 protected:
  Initializer bias_initializer() const override {
    return unit_forget_bias_ ? ones_for_forget_gate(arguments().bias_initializer) : arguments().bias_initializer;
  }

 private:
  bool unit_forget_bias_;
};

template <class Options>
LayerRef make_cell(Dim units, const Options& o, const std::string& name) {
  return make_layer<LSTMCellLayer>(kernel_cell_arguments(units, o), o.unit_forget_bias,
                                   LayerOptions{name, o.trainable, o.dtype});
}

const std::vector<std::string>& own_arguments() {
  static const std::vector<std::string> names = {"units", "recurrent_activation", "unit_forget_bias", "implementation",
                                                 "use_cudnn"};
  return names;
}

LayerRef cell_from_config(const Config& config) {
  const LayerConfig arguments("LSTMCell", config, cell_arguments(own_arguments()));
  layers::LSTMCellOptions options;
  read_cell_arguments(arguments, options);
  options.unit_forget_bias = arguments.flag("unit_forget_bias", true);
  return layers::LSTMCell(arguments.integer("units"), options);
}

LayerRef layer_from_config(const Config& config) {
  const LayerConfig arguments("LSTM", config, recurrent_arguments(cell_arguments(own_arguments())));
  layers::LSTMOptions options;
  read_cell_arguments(arguments, options);
  read_recurrent_arguments(arguments, options);
  options.unit_forget_bias = arguments.flag("unit_forget_bias", true);
  return layers::LSTM(arguments.integer("units"), options);
}

}  // namespace

layers::LSTMCell::LSTMCell(Dim units, const LSTMCellOptions& options)
    : LayerRef(make_cell(units, options, options.name)) {}

layers::LSTM::LSTM(Dim units, const LSTMOptions& options)
    : RecurrentRef(make_named_recurrent("LSTM", make_cell(units, options, "lstm_cell"), options)) {}

void register_lstm(LayerRegistry& registry) {
  using layers::LSTM;
  using layers::LSTMCell;
  registry.add({"LSTMCell",
                cell_from_config,
                {{"one step",
                  [](Dtype dtype) { return LSTMCell(3, {.name = "lstm_cell", .dtype = dtype}); },
                  {{2, 5}, {2, 3}, {2, 3}}}}});
  registry.add({"LSTM",
                layer_from_config,
                {{"last output", [](Dtype dtype) { return LSTM(3, {.name = "lstm", .dtype = dtype}); }, {{2, 4, 5}}},
                 {"sequences, states, dropout",
                  [](Dtype dtype) {
                    return LSTM(2, {.activation = "softsign",
                                    .recurrent_activation = "tanh",
                                    .unit_forget_bias = false,
                                    .dropout = 0.4,
                                    .recurrent_dropout = 0.3,
                                    .seed = 4,
                                    .return_sequences = true,
                                    .return_state = true,
                                    .go_backwards = true,
                                    .name = "lstm_dropout",
                                    .dtype = dtype});
                  },
                  {{2, 3, 3}}}}});
}

}  // namespace strata
