// SPDX-License-Identifier: Apache-2.0
#include "core/model/input_layer.h"

#include "core/base/error.h"
#include "core/model/layer_op.h"
#include "core/model/session.h"

namespace strata {

InputLayer::InputLayer(Shape batch_shape, Dtype dtype, std::string name)
    : Layer({.name = name.empty() ? Session::current().unique_input_name() : std::move(name), .dtype = dtype}),
      batch_shape_(std::move(batch_shape)) {
  set_autocast(false);
  set_built();
}

Config InputLayer::get_config() const {
  return Config::object({{"batch_input_shape", batch_shape_},
                         {"dtype", to_string(dtype())},
                         {"sparse", false},
                         {"ragged", false},
                         {"name", name()}});
}

Tensor make_input(const Shape& batch_shape, Dtype dtype, const std::string& name) {
  if (batch_shape.rank() == 0) throw ShapeError("Input: expected a shape with a batch axis, received ()");
  const auto layer = std::make_shared<InputLayer>(batch_shape, dtype, name);
  return record_call(layer, {}, {{{batch_shape, dtype}}, {std::nullopt}}).at(0);
}

Tensor Input(const SampleShape& sample, const InputOptions& options) {
  const Dtype dtype = options.dtype.value_or(Session::current().default_dtype());
  if (options.batch_shape.rank() == 0) {
    return make_input(Shape{options.batch_size}.concat(sample.shape), dtype, options.name);
  }
  if (sample.shape.rank() > 0 || options.batch_size != None) {
    throw ConfigError("Input: expected either batch_shape or shape and batch_size, received batch_shape " +
                      options.batch_shape.str() + " beside shape " + sample.shape.str());
  }
  return make_input(options.batch_shape, dtype, options.name);
}

Tensor Input(const InputOptions& options) {
  if (options.batch_shape.rank() == 0) throw ConfigError("Input: expected a shape or a batch_shape, received neither");
  return make_input(options.batch_shape, options.dtype.value_or(Session::current().default_dtype()), options.name);
}

}  // namespace strata
