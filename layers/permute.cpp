// SPDX-License-Identifier: Apache-2.0
#include "layers/permute.h"

#include <algorithm>

#include "core/base/error.h"
#include "layers/axes.h"
#include "layers/layer_config.h"
#include "layers/registry.h"

namespace strata {
namespace {

class PermuteLayer final : public Layer {
 public:
  PermuteLayer(std::vector<int> dims, const LayerOptions& options) : Layer(options), dims_(std::move(dims)) {
    std::vector<int> sorted = dims_;
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      if (sorted[i] == static_cast<int>(i) + 1) continue;
      throw ConfigError(
          "Invalid permutation argument `dims` for Permute Layer. The set of indices in `dims` must be consecutive and "
          "start from 1. Received dims=" +
          Axes(dims_).text());
    }
    set_input_spec({{.rank = static_cast<int>(dims_.size()) + 1}});
  }

  std::string class_name() const override { return "Permute"; }
  Config config() const override { return Config::object({{"dims", Axes(dims_).config()}}); }

  Tensor call(const Tensor& input, CallContext&) override {
    std::vector<int> permutation = {0};
    permutation.insert(permutation.end(), dims_.begin(), dims_.end());
    return ops::transpose(input, std::move(permutation));
  }

 private:
  std::vector<int> dims_;
};

LayerRef permute_from_config(const Config& config) {
  const LayerConfig arguments("Permute", config, {"dims"});
  return layers::Permute(Axes::from_config(arguments.required("dims")).given(), arguments.options());
}

}  // namespace

layers::Permute::Permute(const std::vector<int>& dims, const LayerOptions& options)
    : LayerRef(std::make_shared<PermuteLayer>(dims, options)) {}

void register_permute(LayerRegistry& registry) {
  const auto make = [](Dtype dtype) { return layers::Permute({3, 1, 2}, {.name = "permute", .dtype = dtype}); };
  registry.add({"Permute",
                permute_from_config,
                {{"three axes", make, {{2, 3, 4, 5}}}},
                {{R"({"dims": [0, 1]})",
                  {},
                  "Invalid permutation argument `dims` for Permute Layer. The set of indices in `dims` must be "
                  "consecutive and start from 1. Received dims=[0, 1]"},
                 {R"({"dims": [2, 1]})",
                  {{None, 4}},
                  "Input 0 of layer layer is incompatible with the layer: expected ndim=3, found ndim=2. Full shape "
                  "received: [None, 4]"}}});
}

}  // namespace strata
