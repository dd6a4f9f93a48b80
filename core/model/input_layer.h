// SPDX-License-Identifier: Apache-2.0
// InputLayer: the layer that Input makes, where a model begins.
#pragma once

#include "core/model/layer.h"

namespace strata {

/// Outputs what it is given. Has no weights; its one symbolic call has no inputs.
class InputLayer final : public Layer {
 public:
  /// `batch_shape` includes the batch axis. An empty name becomes "input_1", "input_2", ...
  InputLayer(Shape batch_shape, Dtype dtype, std::string name);

  std::string class_name() const override { return "InputLayer"; }
  Config get_config() const override;
  Tensor call(const Tensor& input, CallContext&) override { return input; }
  /// Keras counts the output as the input too.
  std::vector<Tensor> inputs_of_call(int call) const override { return outputs_of_call(call); }

  const Shape& batch_shape() const { return batch_shape_; }

 private:
  Shape batch_shape_;
};

/// The symbolic output of a new InputLayer.
Tensor make_input(const Shape& batch_shape, Dtype dtype, const std::string& name);

}  // namespace strata
