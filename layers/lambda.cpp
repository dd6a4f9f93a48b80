// SPDX-License-Identifier: Apache-2.0
#include "layers/lambda.h"

#include "core/base/error.h"
#include "core/model/config_dialect.h"
#include "layers/layer_config.h"
#include "layers/registry.h"

namespace strata {
namespace {

class LambdaLayer final : public Layer {
 public:
  LambdaLayer(NamedFunction function, const layers::LambdaOptions& options)
      : Layer({options.name, options.trainable, options.dtype}), function_(std::move(function)), options_(options) {}

  std::string class_name() const override { return "Lambda"; }

  Config config() const override {
    if (ConfigDialectScope::current() == ConfigDialect::keras2) return keras2_config();
    Config config = Config::object({{"function", function_.config()}});
    if (options_.output_shape) config.set("output_shape", *options_.output_shape);
    if (options_.mask) config.set("mask", options_.mask.config());
    return config.set("arguments", options_.arguments);
  }

  std::vector<Tensor> call_many(const std::vector<Tensor>& inputs, CallContext&) override {
    const Tensor result = function_(inputs, options_.arguments);
    if (options_.output_shape) check(result.shape());
    return {result};
  }

  std::vector<Tensor> compute_mask(const std::vector<Tensor>& inputs, const std::vector<Tensor>&,
                                   CallContext&) override {
    if (!options_.mask) return {};
    return {options_.mask(inputs)};
  }

 private:
  /// tf.keras has the kind and the module of a function beside its name.
  Config keras2_config() const {
    Config config = Config::object();
    const auto add = [&](const std::string& argument, const std::string& prefix, const Config& value,
                         const char* type) {
      config.set(argument, value).set(argument + "_type", type).set(prefix + "module", nullptr);
    };
    add("function", "", function_.name(), "function");
    add("output_shape", "output_shape_", options_.output_shape ? Config(*options_.output_shape) : Config(), "raw");
    if (options_.mask) add("mask", "mask_", options_.mask.name(), "function");
    return config.set("arguments", options_.arguments);
  }

  void check(const Shape& result) const {
    if (result.rank() > 0 && shapes_fit(result.slice(1, result.rank()), *options_.output_shape)) return;
    throw ShapeError("Lambda " + name() + ": expected a sample of shape " + options_.output_shape->str() +
                     ", received a result of shape " + result.str());
  }

  NamedFunction function_;
  layers::LambdaOptions options_;
};

LayerRef lambda_from_config(const Config& config) {
  // tf.keras 2 says of each function of what kind it is and which module it is from.
  const LayerConfig arguments("Lambda", config,
                              {"function", "output_shape", "mask", "arguments", "function_type", "module",
                               "output_shape_type", "output_shape_module", "mask_type", "mask_module"});
  const LayerOptions common = arguments.options();
  layers::LambdaOptions options{.mask = NamedFunction::from_config(arguments.get("mask")),
                                .name = common.name,
                                .trainable = common.trainable,
                                .dtype = common.dtype};
  if (arguments.has("output_shape")) options.output_shape = arguments.get("output_shape").as_shape();
  if (arguments.has("arguments")) options.arguments = arguments.get("arguments");
  return layers::Lambda(NamedFunction::from_config(arguments.required("function")), options);
}

}  // namespace

layers::Lambda::Lambda(const NamedFunction& function, const LambdaOptions& options)
    : LayerRef(std::make_shared<LambdaLayer>(function, options)) {}

void register_lambda(LayerRegistry& registry) {
  const auto make = [](Dtype dtype) { return layers::Lambda("silu", {.name = "lambda", .dtype = dtype}); };
  registry.add(
      {"Lambda",
       lambda_from_config,
       {{"known function", make, {{3, 4}}}},
       {{R"({"function": "no_such_function"})",
         {},
         "Unknown function: no_such_function. Call register_function(\"no_such_function\", ...) before it is "
         "asked for, or give it as one of `custom_objects`."},
        {R"({"function": {"class_name": "function", "config": "relu"}, "output_shape": [3]})",
         {{None, 4}},
         "Lambda layer: expected a sample of shape (3,), received a result of shape (None, 4)"},
        {R"({"function": "relu", "arguments": {"x": 1}})",
         {{None, 4}},
         R"(A function without arguments was called with the arguments {"x": 1}.)"},
        {R"({"function": "relu"})", {{None, 4}, {None, 4}}, "A function of one tensor was called on 2 tensors."},
        {R"({"function": {"class_name": "__lambda__", "config": {"code": "4wE="}}})",
         {},
         R"(Expected the name of a function, received {"class_name": "__lambda__", "config": {"code": "4wE="}}. )"
         "A Python lambda cannot be read: give it a name in Keras with keras.saving.register_keras_serializable, "
         "and make a C++ function known under this name with register_function."}}});
}

}  // namespace strata
