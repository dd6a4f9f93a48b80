// SPDX-License-Identifier: Apache-2.0
#include "layers/flatten.h"

#include "layers/batch_reshape.h"
#include "layers/layer_config.h"
#include "layers/registry.h"
#include "layers/spatial.h"

namespace strata {
namespace {

class FlattenLayer final : public Layer {
 public:
  explicit FlattenLayer(const layers::FlattenOptions& options)
      : Layer({options.name, options.trainable, options.dtype}), format_(options.data_format) {
    set_input_spec({{.min_rank = 1}});
  }

  std::string class_name() const override { return "Flatten"; }
  Config config() const override { return Config::object({{"data_format", format_.name()}}); }
  Tensor call(const Tensor& input, CallContext&) override {
    return reshape_samples(input.rank() > 1 ? format_.to_channels_last(input) : input, {None});
  }

 private:
  DataFormat format_;
};

LayerRef flatten_from_config(const Config& config) {
  const LayerConfig arguments("Flatten", config, {"data_format"});
  const LayerOptions common = arguments.options();
  return layers::Flatten({arguments.text("data_format", ""), common.name, common.trainable, common.dtype});
}

}  // namespace

layers::Flatten::Flatten(const FlattenOptions& options) : LayerRef(std::make_shared<FlattenLayer>(options)) {}

void register_flatten(LayerRegistry& registry) {
  const auto make = [](Dtype dtype) { return layers::Flatten({.name = "flatten", .dtype = dtype}); };
  const auto make_first = [](Dtype dtype) {
    return layers::Flatten({.data_format = "channels_first", .name = "flatten", .dtype = dtype});
  };
  registry.add({"Flatten",
                flatten_from_config,
                {{"images", make, {{2, 3, 4, 2}}},
                 {"vectors", make, {{3, 5}}},
                 {"numbers", make, {{4}}},
                 {"channels first", make_first, {{2, 3, 4, 2}}}}});
}

}  // namespace strata
