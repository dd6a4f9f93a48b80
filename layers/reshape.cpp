// SPDX-License-Identifier: Apache-2.0
#include "layers/reshape.h"

#include <algorithm>

#include "core/base/error.h"
#include "layers/batch_reshape.h"
#include "layers/layer_config.h"
#include "layers/registry.h"

namespace strata {
namespace {

class ReshapeLayer final : public Layer {
 public:
  ReshapeLayer(Shape target, const LayerOptions& options) : Layer(options), target_(std::move(target)) {
    if (std::count(target_.begin(), target_.end(), None) > 1) {
      throw ConfigError("Can only specify one unknown dimension. Received target_shape=" + target_.str());
    }
    set_input_spec({{.min_rank = 1}});
  }

  std::string class_name() const override { return "Reshape"; }
  Config config() const override {
    Config::List dims;
    for (const Dim dim : target_) dims.push_back(dim);
    return Config::object({{"target_shape", std::move(dims)}});
  }
  Tensor call(const Tensor& input, CallContext&) override { return reshape_samples(input, target_); }

 private:
  Shape target_;
};

LayerRef reshape_from_config(const Config& config) {
  const LayerConfig arguments("Reshape", config, {"target_shape"});
  return layers::Reshape(arguments.get("target_shape").as_shape(), arguments.options());
}

}  // namespace

layers::Reshape::Reshape(const Shape& target_shape, const LayerOptions& options)
    : LayerRef(std::make_shared<ReshapeLayer>(target_shape, options)) {}

void register_reshape(LayerRegistry& registry) {
  registry.add({"Reshape",
                reshape_from_config,
                {{"known",
                  [](Dtype dtype) {
                    return layers::Reshape({3, 4}, {.name = "known", .dtype = dtype});
                  },
                  {{2, 12}}},
                 {"computed",
                  [](Dtype dtype) {
                    return layers::Reshape({2, -1, 3}, {.name = "computed", .dtype = dtype});
                  },
                  {{2, 4, 6}}}}});
}

}  // namespace strata
