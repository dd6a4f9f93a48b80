// SPDX-License-Identifier: Apache-2.0
#include "layers/flatten.h"

#include "core/base/error.h"
#include "layers/batch_reshape.h"
#include "layers/layer_config.h"
#include "layers/registry.h"

namespace strata {
namespace {

class FlattenLayer final : public Layer {
 public:
  explicit FlattenLayer(const LayerOptions& options) : Layer(options) { set_input_spec({{.min_rank = 1}}); }

  std::string class_name() const override { return "Flatten"; }
  Config config() const override { return Config::object({{"data_format", "channels_last"}}); }
  Tensor call(const Tensor& input, CallContext&) override { return reshape_samples(input, {None}); }
};

LayerRef flatten_from_config(const Config& config) {
  const LayerConfig arguments("Flatten", config, {"data_format"});
  const Config& format = arguments.get("data_format");
  if (!format.is_null() && format.as_string() != "channels_last") {
    throw ConfigError("Flatten: expected data_format channels_last, received " + format.to_json());
  }
  return layers::Flatten(arguments.options());
}

}  // namespace

layers::Flatten::Flatten(const LayerOptions& options) : LayerRef(std::make_shared<FlattenLayer>(options)) {}

void register_flatten(LayerRegistry& registry) {
  const auto make = [](Dtype dtype) { return layers::Flatten({.name = "flatten", .dtype = dtype}); };
  registry.add({"Flatten",
                flatten_from_config,
                {{"images", make, {{2, 3, 4, 2}}}, {"vectors", make, {{3, 5}}}, {"numbers", make, {{4}}}}});
}

}  // namespace strata
