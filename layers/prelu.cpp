// SPDX-License-Identifier: Apache-2.0
#include "layers/prelu.h"

#include <algorithm>

#include "core/base/error.h"
#include "layers/axes.h"
#include "layers/layer_config.h"
#include "layers/registry.h"

namespace strata {
namespace {

class PReLULayer final : public Layer {
 public:
  explicit PReLULayer(const layers::PReLUOptions& options)
      : Layer({options.name, options.trainable, options.dtype}), options_(options) {
    set_supports_masking();
  }

  std::string class_name() const override { return "PReLU"; }

  Config config() const override {
    const std::vector<int>& shared = options_.shared_axes;
    return Config::object({{"alpha_initializer", options_.alpha_initializer.config()},
                           {"alpha_regularizer", options_.alpha_regularizer.config()},
                           {"alpha_constraint", options_.alpha_constraint.config()},
                           {"shared_axes", shared.empty() ? Config() : Axes(shared).config()}});
  }

  void build(const Shape& input) override {
    const std::vector<int>& shared = options_.shared_axes;
    Shape shape = input.slice(1, input.rank());
    for (const int axis : shared) {
      if (axis < 1 || axis >= input.rank()) {
        throw ConfigError("PReLU: expected shared_axes from 1 to " + std::to_string(input.rank() - 1) +
                          " for an input of shape " + input.str() + ", received " + Axes(shared).text());
      }
      shape = shape.with(axis - 1, 1);
    }
    alpha_ = add_weight("alpha", shape,
                        {.initializer = options_.alpha_initializer,
                         .regularizer = options_.alpha_regularizer,
                         .constraint = options_.alpha_constraint});
    InputSpec spec{.rank = input.rank()};
    for (int axis = 1; axis < input.rank(); ++axis) {
      if (std::find(shared.begin(), shared.end(), axis) == shared.end()) spec.axes[axis] = input[axis];
    }
    set_input_spec({spec});
  }

  Tensor call(const Tensor& input, CallContext&) override { return ops::relu(input) - alpha_ * ops::relu(-input); }

 private:
  layers::PReLUOptions options_;
  Variable alpha_;
};

LayerRef prelu_from_config(const Config& config) {
  const LayerConfig arguments("PReLU", config,
                              {"alpha_initializer", "alpha_regularizer", "alpha_constraint", "shared_axes"});
  const LayerOptions common = arguments.options();
  const Config& shared = arguments.get("shared_axes");
  return layers::PReLU({.alpha_initializer = arguments.initializer("alpha_initializer", "zeros"),
                        .alpha_regularizer = arguments.regularizer("alpha_regularizer"),
                        .alpha_constraint = arguments.constraint("alpha_constraint"),
                        .shared_axes = shared.is_null() ? std::vector<int>() : Axes::from_config(shared).given(),
                        .name = common.name,
                        .trainable = common.trainable,
                        .dtype = common.dtype});
}

}  // namespace

layers::PReLU::PReLU(const PReLUOptions& options) : LayerRef(std::make_shared<PReLULayer>(options)) {}

void register_prelu(LayerRegistry& registry) {
  const auto example = [](std::string label, std::vector<int> shared) {
    const auto make = [shared](Dtype dtype) {
      return layers::PReLU(
          {.alpha_initializer = initializers::Constant(0.25), .shared_axes = shared, .name = "prelu", .dtype = dtype});
    };
    return LayerExample{std::move(label), make, {{2, 3, 4}}};
  };
  registry.add({"PReLU",
                prelu_from_config,
                {example("own slopes", {}), example("shared slopes", {1})},
                {{R"({"shared_axes": [3]})",
                  {{None, 4, 5}},
                  "PReLU: expected shared_axes from 1 to 2 for an input of shape (None, 4, 5), received [3]"},
                 {"{}", {{None, None, 5}}, "Weight 'layer/alpha': expected a known shape, received (None, 5)"}}});
}

}  // namespace strata
