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
      : Layer({options.name, options.trainable, options.dtype}), units_(units), options_(options) {
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
                           {"kernel_regularizer", nullptr},
                           {"bias_regularizer", nullptr},
                           {"activity_regularizer", nullptr},
                           {"kernel_constraint", nullptr},
                           {"bias_constraint", nullptr}});
  }

  void build(const Shape& input) override {
    if (input.back() == None) {
      throw ShapeError("The last dimension of the inputs to `Dense` should be defined. Found `None`.");
    }
    set_input_spec({{.min_rank = 2, .axes = {{-1, input.back()}}}});
    kernel_ = add_weight("kernel", {input.back(), units_}, {.initializer = options_.kernel_initializer});
    if (options_.use_bias) bias_ = add_weight("bias", {units_}, {.initializer = options_.bias_initializer});
  }

  Tensor call(const Tensor& input, CallContext&) override {
    const Tensor x = input.dtype() == compute_dtype() ? input : ops::cast(input, compute_dtype());
    const Tensor product = ops::matmul(x, kernel_);
    return options_.activation(bias_ ? product + bias_.value() : product);
  }

 private:
  Dim units_;
  layers::DenseOptions options_;
  Variable kernel_;
  Variable bias_;
};

layers::Dense dense_from_config(const Config& config) {
  const LayerConfig arguments("Dense", config,
                              {"units", "activation", "use_bias", "kernel_initializer", "bias_initializer"});
  const LayerOptions common = arguments.options();
  layers::DenseOptions options{.activation = strata::Activation::from_config(arguments.get("activation")),
                               .use_bias = arguments.flag("use_bias", true),
                               .name = common.name,
                               .trainable = common.trainable,
                               .dtype = common.dtype};
  if (arguments.has("kernel_initializer")) {
    options.kernel_initializer = Initializer::from_config(arguments.get("kernel_initializer"));
  }
  if (arguments.has("bias_initializer")) {
    options.bias_initializer = Initializer::from_config(arguments.get("bias_initializer"));
  }
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
