// SPDX-License-Identifier: Apache-2.0
#include "layers/dense.h"

#include "core/base/error.h"
#include "layers/layer_config.h"
#include "layers/registry.h"

namespace strata {
namespace {

class DenseLayer final : public Layer {
 public:
  DenseLayer(Dim units, const layers::DenseOptions& options)
      : Layer({options.name, options.trainable, options.dtype, options.activity_regularizer}),
        units_(units),
        options_(options) {
    if (units < 1) {
      throw ConfigError("Received an invalid value for `units`, expected a positive integer. Received: units=" +
                        std::to_string(units));
    }
    if (!is_floating(dtype())) {
      throw DtypeError("Unable to build `Dense` layer with non-floating point dtype <dtype: '" +
                       std::string(to_string(dtype())) + "'>");
    }
    set_input_spec({{.min_rank = 2}});
    set_supports_masking();
  }

  std::string class_name() const override { return "Dense"; }

  Config config() const override {
    return Config::object({{"units", units_},
                           {"activation", options_.activation.config()},
                           {"use_bias", options_.use_bias},
                           {"kernel_initializer", options_.kernel_initializer.config()},
                           {"bias_initializer", options_.bias_initializer.config()},
                           {"kernel_regularizer", options_.kernel_regularizer.config()},
                           {"bias_regularizer", options_.bias_regularizer.config()},
                           {"activity_regularizer", options_.activity_regularizer.config()},
                           {"kernel_constraint", options_.kernel_constraint.config()},
                           {"bias_constraint", options_.bias_constraint.config()}});
  }

  void build(const Shape& input) override {
    if (input.back() == None) {
      throw ShapeError(
          "The last dimension of the inputs to `Dense` should be defined. Found `None`. Full input shape received: " +
          input.str() + " (layer: " + name() + ")");
    }
    set_input_spec({{.min_rank = 2, .axes = {{-1, input.back()}}}});
    kernel_ = add_weight("kernel", {input.back(), units_},
                         {.initializer = options_.kernel_initializer,
                          .regularizer = options_.kernel_regularizer,
                          .constraint = options_.kernel_constraint});
    if (!options_.use_bias) return;
    bias_ = add_weight("bias", {units_},
                       {.initializer = options_.bias_initializer,
                        .regularizer = options_.bias_regularizer,
                        .constraint = options_.bias_constraint});
  }

  Tensor call(const Tensor& input, CallContext&) override {
    const Tensor x = input.dtype() == compute_dtype() ? input : ops::cast(input, compute_dtype());
    const Tensor product = ops::matmul(x, kernel_);
    return options_.activation(bias_ ? product + bias_ : product);
  }

 private:
  Dim units_;
  layers::DenseOptions options_;
  Variable kernel_;
  Variable bias_;
};

layers::Dense dense_from_config(const Config& config) {
  const LayerConfig arguments(
      "Dense", config,
      {"units", "activation", "use_bias", "kernel_initializer", "bias_initializer", "kernel_regularizer",
       "bias_regularizer", "activity_regularizer", "kernel_constraint", "bias_constraint"});
  const LayerOptions common = arguments.options();
  const layers::DenseOptions options{
      .activation = strata::Activation::from_config(arguments.get("activation")),
      .use_bias = arguments.flag("use_bias", true),
      .kernel_initializer = arguments.initializer("kernel_initializer", "glorot_uniform"),
      .bias_initializer = arguments.initializer("bias_initializer", "zeros"),
      .kernel_regularizer = arguments.regularizer("kernel_regularizer"),
      .bias_regularizer = arguments.regularizer("bias_regularizer"),
      .activity_regularizer = arguments.regularizer("activity_regularizer"),
      .kernel_constraint = arguments.constraint("kernel_constraint"),
      .bias_constraint = arguments.constraint("bias_constraint"),
      .name = common.name,
      .trainable = common.trainable,
      .dtype = common.dtype};
  return layers::Dense(arguments.integer("units"), options);
}

}  // namespace

layers::Dense::Dense(Dim units, const DenseOptions& options) : LayerRef(std::make_shared<DenseLayer>(units, options)) {}

void register_dense(LayerRegistry& registry) {
  using layers::Dense;
  registry.add({"Dense",
                dense_from_config,
                {{"linear", [](Dtype dtype) { return Dense(5, {.name = "dense", .dtype = dtype}); }, {{4, 3}}},
                 {"tanh",
                  [](Dtype dtype) {
                    return Dense(2, {.activation = "tanh", .bias_initializer = "ones", .name = "tanh", .dtype = dtype});
                  },
                  {{4, 3}}},
                 {"no bias, three axes",
                  [](Dtype dtype) { return Dense(6, {.use_bias = false, .name = "sequence", .dtype = dtype}); },
                  {{2, 7, 3}}}}});
}

}  // namespace strata
