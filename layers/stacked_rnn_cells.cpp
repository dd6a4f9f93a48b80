// SPDX-License-Identifier: Apache-2.0
#include "layers/stacked_rnn_cells.h"

#include "core/base/error.h"
#include "core/model/stored_parts.h"
#include "layers/cell.h"
#include "layers/layer_config.h"
#include "layers/lstm.h"
#include "layers/registry.h"
#include "layers/simple_rnn.h"

namespace strata {
namespace {

class StackedCells final : public Cell, public HasStoredParts {
 public:
  StackedCells(const std::vector<LayerRef>& cells, const LayerOptions& layer) : Cell(layer) {
    if (cells.empty()) throw ConfigError("StackedRNNCells: expected at least one cell, received none.");
    for (const LayerRef& cell : cells) cells_.push_back(&as_cell(track(cell), "All cells must have a"));
  }

  std::string class_name() const override { return "StackedRNNCells"; }
  Config config() const override {
    Config::List list;
    for (const Cell* cell : cells_) {
      list.push_back(serialize_layer(*cell));
    }
    return Config::object({{"cells", std::move(list)}});
  }

  std::vector<StoredPart> stored_parts() const override { return stored_list("cells", sublayers()); }

  void build(const Shape& input) override {
    Shape shape = input;
    for (Cell* cell : cells_) {
      cell->ensure_built({{shape, compute_dtype()}});
      shape = Shape{input[0]}.concat(cell->output_size());
    }
  }

  std::vector<Shape> state_size() const override {
    std::vector<Shape> all;
    for (const Cell* cell : cells_) {
      for (const Shape& shape : cell->state_size()) all.push_back(shape);
    }
    return all;
  }
  Shape output_size() const override { return cells_.back()->output_size(); }

  std::vector<Tensor> get_initial_state(const Tensor& input) const override {
    std::vector<Tensor> all;
    for (const Cell* cell : cells_) {
      for (const Tensor& state : cell->get_initial_state(input)) all.push_back(state);
    }
    return all;
  }

  CellStep call(const Tensor& input, const std::vector<Tensor>& states, CallContext& context) override {
    const SequenceConstants constants = begin_sequence(input, context);
    return step(project(input, constants), states, constants, context);
  }

  SequenceConstants begin_sequence(const Tensor& input, CallContext& context) override {
    SequenceConstants all;
    Tensor like = input;
    for (Cell* cell : cells_) {
      CallContext nested = context.nested(cell->name(), {});
      all.cells.push_back(cell->begin_sequence(like, nested));
      like = zeros_for_batch(input, cell->output_size(), compute_dtype());
    }
    return all;
  }

  // Only the first cell's input is known before the loop.
  Tensor project(const Tensor& input, const SequenceConstants& constants) override {
    return cells_[0]->project(input, constants.cells[0]);
  }

  CellStep step(const Tensor& projected, const std::vector<Tensor>& states, const SequenceConstants& constants,
                CallContext& context) override {
    CellStep all{projected, {}};
    auto state = states.begin();
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      Cell& cell = *cells_[i];
      const auto end = state + static_cast<std::ptrdiff_t>(cell.state_size().size());
      const SequenceConstants& own = constants.cells[i];
      CallContext nested = context.nested(cell.name(), {});
      const Tensor input = i == 0 ? projected : cell.project(all.output, own);
      const CellStep one = cell.step(input, {state, end}, own, nested);
      all.output = one.output;
      all.states.insert(all.states.end(), one.states.begin(), one.states.end());
      state = end;
    }
    return all;
  }

 private:
  std::vector<Cell*> cells_;
};

LayerRef stacked_from_config(const Config& config) {
  const LayerConfig arguments("StackedRNNCells", config, {"cells"});
  const LayerOptions common = arguments.options();
  return layers::StackedRNNCells(arguments.layers("cells"), {common.name, common.trainable, common.dtype});
}

}  // namespace

layers::StackedRNNCells::StackedRNNCells(const std::vector<LayerRef>& cells, const StackedRNNCellsOptions& options)
    : LayerRef(make_layer<StackedCells>(cells, LayerOptions{options.name, options.trainable, options.dtype})) {}

void register_stacked_rnn_cells(LayerRegistry& registry) {
  using layers::LSTMCell;
  using layers::SimpleRNNCell;
  using layers::StackedRNNCells;
  registry.add({"StackedRNNCells",
                stacked_from_config,
                {{"two cells",
                  [](Dtype dtype) {
                    return StackedRNNCells({LSTMCell(3, {.name = "lower", .dtype = dtype}),
                                            SimpleRNNCell(2, {.name = "upper", .dtype = dtype})},
                                           {.name = "stacked", .dtype = dtype});
                  },
                  {{2, 4}, {2, 3}, {2, 3}, {2, 2}}}}});
}

}  // namespace strata
