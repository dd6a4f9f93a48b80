// SPDX-License-Identifier: Apache-2.0
#include "layers/gru.h"

#include "core/ops/recurrent_gates.h"
#include "layers/gate_math.h"
#include "layers/matrix_cell.h"
#include "layers/recurrent_layer.h"
#include "layers/registry.h"

namespace strata {
namespace {

class GRUCellLayer final : public MatrixCell {
 public:
  GRUCellLayer(KernelCellArguments arguments, bool reset_after, const LayerOptions& layer)
      : MatrixCell(std::move(arguments), 3, layer), reset_after_(reset_after) {}

  std::string class_name() const override { return "GRUCell"; }
  Config config() const override { return MatrixCell::config().set("reset_after", reset_after_); }

  CellStep step(const Tensor& projected, const std::vector<Tensor>& states, const SequenceConstants& constants,
                CallContext&) override {
    const Tensor h = reset_after_ ? step_reset_after(projected, states[0], constants)
                                  : step_reset_before(projected, states[0], constants);
    return {h, {h}};
  }

 protected:
  Shape bias_shape() const override { return reset_after_ ? Shape{2, 3 * units()} : Shape{3 * units()}; }
  Tensor input_bias() const override { return reset_after_ ? bias_row(0) : bias(); }

 private:
  Tensor bias_row(Dim row) const {
    const Tensor both = bias();
    return both ? ops::reshape(ops::slice(both, {row, 0}, {row + 1, None}), {3 * units()}) : both;
  }
  Tensor gate(const Tensor& x, Dim g) const { return gate_columns(x, units(), g, g + 1); }
  static Tensor mixed(const Tensor& z, const Tensor& h, const Tensor& candidate) {
    return z * h + (1.0 - z) * candidate;
  }

  Tensor step_reset_after(const Tensor& x, const Tensor& h, const SequenceConstants& constants) const {
    Tensor inner = recurrent_product(h, constants);
    if (const Tensor added = bias_row(1)) inner = inner + added;
    if (are_usual(arguments().activation, *arguments().recurrent_activation)) return ops::gru_gates(x, inner, h)[0];
    const Tensor z = gated(gate(x, 0) + gate(inner, 0));
    const Tensor r = gated(gate(x, 1) + gate(inner, 1));
    return mixed(z, h, activated(gate(x, 2) + r * gate(inner, 2)));
  }

  Tensor step_reset_before(const Tensor& x, const Tensor& h, const SequenceConstants& constants) const {
    const Tensor inner = recurrent_product(h, constants, 0, 2);
    const Tensor z = gated(gate(x, 0) + gate(inner, 0));
    const Tensor r = gated(gate(x, 1) + gate(inner, 1));
    const Tensor reset = ops::matmul(r * masked_state(h, constants, 2), gate(recurrent_kernel(), 2));
    return mixed(z, h, activated(gate(x, 2) + reset));
  }

  bool reset_after_;
};

template <class Options>
LayerRef make_cell(Dim units, const Options& o, const std::string& name) {
  return make_layer<GRUCellLayer>(kernel_cell_arguments(units, o), o.reset_after,
                                  LayerOptions{name, o.trainable, o.dtype});
}

const std::vector<std::string>& own_arguments() {
  static const std::vector<std::string> names = {"units", "recurrent_activation", "reset_after", "implementation",
                                                 "use_cudnn"};
  return names;
}

LayerRef cell_from_config(const Config& config) {
  const LayerConfig arguments("GRUCell", config, cell_arguments(own_arguments()));
  layers::GRUCellOptions options;
  read_cell_arguments(arguments, options);
  options.reset_after = arguments.flag("reset_after", true);
  return layers::GRUCell(arguments.integer("units"), options);
}

LayerRef layer_from_config(const Config& config) {
  const LayerConfig arguments("GRU", config, recurrent_arguments(cell_arguments(own_arguments())));
  layers::GRUOptions options;
  read_cell_arguments(arguments, options);
  read_recurrent_arguments(arguments, options);
  options.reset_after = arguments.flag("reset_after", true);
  return layers::GRU(arguments.integer("units"), options);
}

}  // namespace

layers::GRUCell::GRUCell(Dim units, const GRUCellOptions& options)
    : LayerRef(make_cell(units, options, options.name)) {}

layers::GRU::GRU(Dim units, const GRUOptions& options)
    : RecurrentRef(make_named_recurrent("GRU", make_cell(units, options, "gru_cell"), options)) {}

void register_gru(LayerRegistry& registry) {
  using layers::GRU;
  using layers::GRUCell;
  registry.add(
      {"GRUCell",
       cell_from_config,
       {{"reset after", [](Dtype dtype) { return GRUCell(3, {.name = "gru_cell", .dtype = dtype}); }, {{2, 5}, {2, 3}}},
        {"reset before",
         [](Dtype dtype) {
           return GRUCell(3, {.recurrent_activation = "softsign",
                              .dropout = 0.3,
                              .recurrent_dropout = 0.4,
                              .reset_after = false,
                              .name = "gru_cell_before",
                              .dtype = dtype});
         },
         {{2, 5}, {2, 3}}}}});
  registry.add({"GRU",
                layer_from_config,
                {{"last output", [](Dtype dtype) { return GRU(3, {.name = "gru", .dtype = dtype}); }, {{2, 4, 5}}},
                 {"sequences, reset before",
                  [](Dtype dtype) {
                    return GRU(2, {.dropout = 0.4,
                                   .return_sequences = true,
                                   .return_state = true,
                                   .reset_after = false,
                                   .name = "gru_before",
                                   .dtype = dtype});
                  },
                  {{2, 3, 3}}}}});
}

}  // namespace strata
