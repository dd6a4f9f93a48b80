// SPDX-License-Identifier: Apache-2.0
#include "layers/activity_regularization.h"

#include "layers/layer_config.h"
#include "layers/registry.h"

namespace strata {
namespace {

class ActivityRegularizationLayer final : public Layer {
 public:
  explicit ActivityRegularizationLayer(const layers::ActivityRegularizationOptions& options)
      : Layer({options.name, options.trainable, options.dtype, regularizers::L1L2(options.l1, options.l2)}),
        options_(options) {
    set_supports_masking();
  }

  std::string class_name() const override { return "ActivityRegularization"; }
  Config config() const override { return Config::object({{"l1", options_.l1}, {"l2", options_.l2}}); }
  Tensor call(const Tensor& input, CallContext&) override { return input; }

 private:
  layers::ActivityRegularizationOptions options_;
};

LayerRef activity_regularization_from_config(const Config& config) {
  const LayerConfig arguments("ActivityRegularization", config, {"l1", "l2"});
  const LayerOptions common = arguments.options();
  return layers::ActivityRegularization({.l1 = arguments.number("l1", 0.0),
                                         .l2 = arguments.number("l2", 0.0),
                                         .name = common.name,
                                         .trainable = common.trainable,
                                         .dtype = common.dtype});
}

}  // namespace

layers::ActivityRegularization::ActivityRegularization(const ActivityRegularizationOptions& options)
    : LayerRef(std::make_shared<ActivityRegularizationLayer>(options)) {}

void register_activity_regularization(LayerRegistry& registry) {
  const auto make = [](Dtype dtype) {
    return layers::ActivityRegularization({.l1 = 0.1, .l2 = 0.2, .name = "activity", .dtype = dtype});
  };
  registry.add({"ActivityRegularization", activity_regularization_from_config, {{"matrix", make, {{3, 4}}}}});
}

}  // namespace strata
