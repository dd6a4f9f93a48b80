// SPDX-License-Identifier: Apache-2.0
#include "layers/repeat_vector.h"

#include "core/base/error.h"
#include "layers/layer_config.h"
#include "layers/registry.h"

namespace strata {
namespace {

class RepeatVectorLayer final : public Layer {
 public:
  RepeatVectorLayer(Dim n, const LayerOptions& options) : Layer(options), n_(n) {
    if (n < 1) throw ConfigError("Argument `n` should be a positive integer. Received: n=" + std::to_string(n));
    set_input_spec({{.rank = 2}});
  }

  std::string class_name() const override { return "RepeatVector"; }
  Config config() const override { return Config::object({{"n", n_}}); }

  Tensor call(const Tensor& input, CallContext&) override {
    return ops::broadcast_to(ops::expand_dims(input, 1), {input.shape()[0], n_, input.shape()[1]});
  }

 private:
  Dim n_;
};

LayerRef repeat_vector_from_config(const Config& config) {
  const LayerConfig arguments("RepeatVector", config, {"n"});
  return layers::RepeatVector(arguments.integer("n"), arguments.options());
}

}  // namespace

layers::RepeatVector::RepeatVector(Dim n, const LayerOptions& options)
    : LayerRef(std::make_shared<RepeatVectorLayer>(n, options)) {}

void register_repeat_vector(LayerRegistry& registry) {
  const auto make = [](Dtype dtype) { return layers::RepeatVector(3, {.name = "repeat", .dtype = dtype}); };
  registry.add({"RepeatVector",
                repeat_vector_from_config,
                {{"three times", make, {{2, 5}}}},
                {{R"({"n": 0})", {}, "Argument `n` should be a positive integer. Received: n=0"},
                 {R"({"n": 2})",
                  {{None, 4, 5}},
                  "Input 0 of layer layer is incompatible with the layer: expected ndim=2, found ndim=3. Full shape "
                  "received: [None, 4, 5]"}}});
}

}  // namespace strata
