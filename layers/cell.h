// SPDX-License-Identifier: Apache-2.0
// Cell: what a recurrent layer repeats over time steps. What a user derives from to write a recurrence of one's own.
#pragma once

#include <vector>

#include "core/model/layer.h"

namespace strata {

/// What a cell computes in one time step.
struct CellStep {
  Tensor output = {};               // (batch,) + output_size()
  std::vector<Tensor> states = {};  // the next states: (batch,) + state_size()[i]
};

/// What a cell computes once for all steps of a sequence.
struct SequenceConstants {
  std::vector<Tensor> tensors = {};
  std::vector<SequenceConstants> cells = {};  // of cells within the cell
};

/// A layer with states. Derive, override state_size, build and call, and let a recurrent layer repeat it:
///     layers::RNN(make_layer<MinimalCell>(32))(x)
/// As a layer by itself it takes {input, states...} and gives {output, next states...}.
///
/// The call is traced once for all time steps, so what differs between steps must come from input and states; numbers
/// drawn at random differ from step to step. A cell can neither add losses nor update state variables: ConfigError.
class Cell : public Layer {
 public:
  using Layer::Layer;

  /// The shape of each state of one sample, without the batch; known once the cell is built.
  virtual std::vector<Shape> state_size() const = 0;
  /// The shape of the output for one sample: that of the first state unless overridden.
  virtual Shape output_size() const { return state_size().at(0); }
  using Layer::call;
  /// One time step. input (batch, features...).
  virtual CellStep call(const Tensor& input, const std::vector<Tensor>& states, CallContext& context) = 0;
  /// The states that a sequence of inputs like `input` (batch, features...) begins with: zeros of the compute dtype
  /// unless overridden.
  virtual std::vector<Tensor> get_initial_state(const Tensor& input) const;

  // The rest is for speed: a cell may do before the loop what does not depend on the states. Together, project and step
  // of what begin_sequence gives must be what call() computes.

  /// What holds for a whole sequence, such as dropout masks. `input` is that of any one step. Default: nothing.
  virtual SequenceConstants begin_sequence(const Tensor& input, CallContext& context);
  /// The part of a step that needs no states, for any number of leading axes before the batch: (..., batch,
  /// features...). Default: the input itself.
  virtual Tensor project(const Tensor& input, const SequenceConstants& constants);
  /// The rest of the step. Default: call(projected, states, context).
  virtual CellStep step(const Tensor& projected, const std::vector<Tensor>& states, const SequenceConstants& constants,
                        CallContext& context);

  /// call() on {input, states...}, its result in one list.
  std::vector<Tensor> call_many(const std::vector<Tensor>& inputs, CallContext& context) override;
};

/// The cell behind a layer handle. Throws ConfigError with Keras' text when the layer is none; `subject` begins it:
/// "The RNN cell", "All cells".
Cell& as_cell(const LayerRef& layer, const std::string& subject);

/// Zeros of shape (batch,) + shape, where axis 0 of `like` is the batch, which may be unknown.
Tensor zeros_for_batch(const Tensor& like, const Shape& shape, Dtype dtype);

}  // namespace strata
