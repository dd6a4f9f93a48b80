// SPDX-License-Identifier: Apache-2.0
#include "layers/additive_attention.h"

#include "layers/layer_config.h"
#include "layers/registry.h"
#include "layers/sequence_attention.h"

namespace strata {
namespace {

class AdditiveAttentionLayer final : public SequenceAttention {
 public:
  explicit AdditiveAttentionLayer(const layers::AdditiveAttentionOptions& options)
      : SequenceAttention(options.dropout, options.seed, {options.name, options.trainable, options.dtype}),
        use_scale_(options.use_scale) {}

  std::string class_name() const override { return "AdditiveAttention"; }
  Config config() const override {
    return Config::object(
        {{"use_scale", use_scale_}, {"dropout", dropout()}, {"seed", seed() ? Config(*seed()) : Config()}});
  }

 protected:
  void build_weights(const Shape& query) override {
    if (use_scale_) scale_ = add_weight("scale", {query.back()});
  }

  Tensor scores(const Tensor& query, const Tensor& key) const override {
    const Tensor terms = ops::tanh(ops::expand_dims(query, -2) + ops::expand_dims(key, -3));
    return ops::sum(scale_ ? scale_ * terms : terms, {-1});
  }

 private:
  bool use_scale_;
  Variable scale_;
};

LayerRef additive_attention_from_config(const Config& config) {
  const LayerConfig arguments("AdditiveAttention", config, {"use_scale", "dropout", "seed"});
  const LayerOptions common = arguments.options();
  layers::AdditiveAttentionOptions options{.use_scale = arguments.flag("use_scale", true),
                                           .dropout = arguments.number("dropout", 0.0),
                                           .name = common.name,
                                           .trainable = common.trainable,
                                           .dtype = common.dtype};
  if (arguments.has("seed")) options.seed = arguments.integer("seed");
  return layers::AdditiveAttention(options);
}

}  // namespace

layers::AdditiveAttention::AdditiveAttention(const AdditiveAttentionOptions& options)
    : LayerRef(std::make_shared<AdditiveAttentionLayer>(options)) {}

void register_additive_attention(LayerRegistry& registry) {
  using layers::AdditiveAttention;
  registry.add({"AdditiveAttention",
                additive_attention_from_config,
                {{"value as key",
                  [](Dtype dtype) { return AdditiveAttention({.name = "additive", .dtype = dtype}); },
                  {{2, 3, 4}, {2, 5, 4}}},
                 {"key, no scale, dropout",
                  [](Dtype dtype) {
                    return AdditiveAttention({.use_scale = false, .dropout = 0.3, .name = "no_scale", .dtype = dtype});
                  },
                  {{2, 3, 4}, {2, 5, 2}, {2, 5, 4}}}}});
}

}  // namespace strata
