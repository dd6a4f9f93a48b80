// SPDX-License-Identifier: Apache-2.0
#include "layers/leaky_relu.h"

#include "core/base/error.h"
#include "core/model/config_dialect.h"
#include "layers/activations.h"
#include "layers/layer_config.h"
#include "layers/registry.h"

namespace strata {
namespace {

class LeakyReluLayer final : public Layer {
 public:
  LeakyReluLayer(double slope, const LayerOptions& options) : Layer(options), slope_(slope) { set_supports_masking(); }
  std::string class_name() const override { return "LeakyReLU"; }
  Config config() const override {
    const bool is_keras3 = ConfigDialectScope::current() == ConfigDialect::keras3;
    return Config::object({{is_keras3 ? "negative_slope" : "alpha", slope_}});
  }
  Tensor call(const Tensor& input, CallContext&) override { return activations::leaky_relu(input, slope_); }

 private:
  double slope_;
};

std::shared_ptr<Layer> make_leaky_relu(double slope, const LayerOptions& options) {
  if (!(slope >= 0.0)) {
    throw ConfigError(
        "The negative_slope value of a Leaky ReLU layer cannot be None or negative value. Expected a float. Received: "
        "negative_slope=" +
        Config(slope).to_json());
  }
  return std::make_shared<LeakyReluLayer>(slope, options);
}

LayerRef leaky_relu_from_config(const Config& config) {
  const LayerConfig arguments("LeakyReLU", config, {"negative_slope", "alpha"});  // alpha: tf.keras 2
  const double slope = arguments.number("negative_slope", arguments.number("alpha", 0.3));
  return layers::LeakyReLU(slope, arguments.options());
}

}  // namespace

layers::LeakyReLU::LeakyReLU(double negative_slope, const LayerOptions& options)
    : LayerRef(make_leaky_relu(negative_slope, options)) {}

void register_leaky_relu(LayerRegistry& registry) {
  const auto make = [](Dtype dtype) { return layers::LeakyReLU(0.2, {.name = "leaky", .dtype = dtype}); };
  registry.add({"LeakyReLU",
                leaky_relu_from_config,
                {{"slope", make, {{3, 4}}}},
                {{R"({"negative_slope": -1.0})",
                  {},
                  "The negative_slope value of a Leaky ReLU layer cannot be None or negative value. Expected a float. "
                  "Received: negative_slope=-1.0"}}});
}

}  // namespace strata
