// SPDX-License-Identifier: Apache-2.0
#include "layers/cell.h"

#include "core/base/error.h"

namespace strata {

std::vector<Tensor> Cell::get_initial_state(const Tensor& input) const {
  std::vector<Tensor> states;
  for (const Shape& shape : state_size()) states.push_back(zeros_for_batch(input, shape, compute_dtype()));
  return states;
}

SequenceConstants Cell::begin_sequence(const Tensor&, CallContext&) { return {}; }

Tensor Cell::project(const Tensor& input, const SequenceConstants&) { return input; }

CellStep Cell::step(const Tensor& projected, const std::vector<Tensor>& states, const SequenceConstants&,
                    CallContext& context) {
  return call(projected, states, context);
}

std::vector<Tensor> Cell::call_many(const std::vector<Tensor>& inputs, CallContext& context) {
  const std::size_t wanted = state_size().size();
  if (inputs.size() != wanted + 1) {
    throw ConfigError("Layer " + name() + " expects 1 input and " + std::to_string(wanted) +
                      " states, but it received " + std::to_string(inputs.size()) + " tensors.");
  }
  CellStep step = call(inputs[0], {inputs.begin() + 1, inputs.end()}, context);
  std::vector<Tensor> outputs{step.output};
  outputs.insert(outputs.end(), step.states.begin(), step.states.end());
  return outputs;
}

Cell& as_cell(const LayerRef& layer, const std::string& subject) {
  auto* cell = layer ? dynamic_cast<Cell*>(&layer.layer()) : nullptr;
  if (cell != nullptr) return *cell;
  const std::string received = layer ? layer.layer().class_name() + " " + layer.name() : "None";
  throw ConfigError(subject + " `state_size` attribute (single integer or list of integers, one integer per RNN " +
                    "state): a layer that derives from Cell. Received: cell=" + received);
}

Tensor zeros_for_batch(const Tensor& like, const Shape& shape, Dtype dtype) {
  const Shape whole = Shape{like.shape()[0]}.concat(shape);
  if (whole.is_known()) return ops::zeros(whole, dtype);
  // One number a sample, of which only the count is used.
  std::vector<Dim> end(static_cast<std::size_t>(like.rank()), 1), ones(static_cast<std::size_t>(shape.rank()) + 1, 1);
  end[0] = None;
  ones[0] = like.shape()[0];
  const Tensor column = ops::reshape(ops::slice(like, std::vector<Dim>(end.size(), 0), end), Shape(ones));
  return ops::zeros_like(ops::cast(ops::broadcast_to(column, whole), dtype));
}

}  // namespace strata
