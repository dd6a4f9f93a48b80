// SPDX-License-Identifier: Apache-2.0
#include "layers/attention.h"

#include "core/base/error.h"
#include "layers/layer_config.h"
#include "layers/registry.h"
#include "layers/sequence_attention.h"

namespace strata {
namespace {

class AttentionLayer final : public SequenceAttention {
 public:
  explicit AttentionLayer(const layers::AttentionOptions& options)
      : SequenceAttention(options.dropout, options.seed, {options.name, options.trainable, options.dtype}),
        use_scale_(options.use_scale),
        score_mode_(options.score_mode) {
    if (score_mode_ == "dot" || score_mode_ == "concat") return;
    throw ConfigError(
        "Invalid value for argument score_mode. Expected one of {'dot', 'concat'}. Received: score_mode=" +
        score_mode_);
  }

  std::string class_name() const override { return "Attention"; }
  Config config() const override {
    return Config::object({{"use_scale", use_scale_},
                           {"score_mode", score_mode_},
                           {"dropout", dropout()},
                           {"seed", seed() ? Config(*seed()) : Config()}});
  }

 protected:
  void build_weights(const Shape&) override {
    if (use_scale_) scale_ = add_weight("scale", {}, {.initializer = "ones"});
    if (score_mode_ == "concat") concat_score_weight_ = add_weight("concat_score_weight", {}, {.initializer = "ones"});
  }

  Tensor scores(const Tensor& query, const Tensor& key) const override {
    if (score_mode_ == "dot") {
      const Tensor products = ops::matmul(query, key, false, true);
      return scale_ ? products * scale_ : products;
    }
    const Tensor sums = ops::expand_dims(query, -2) + ops::expand_dims(key, -3);
    return concat_score_weight_ * ops::sum(ops::tanh(scale_ ? scale_ * sums : sums), {-1});
  }

 private:
  bool use_scale_;
  std::string score_mode_;
  Variable scale_;
  Variable concat_score_weight_;
};

LayerRef attention_from_config(const Config& config) {
  const LayerConfig arguments("Attention", config, {"use_scale", "score_mode", "dropout", "seed"});
  const LayerOptions common = arguments.options();
  layers::AttentionOptions options{.use_scale = arguments.flag("use_scale", false),
                                   .score_mode = arguments.text("score_mode", "dot"),
                                   .dropout = arguments.number("dropout", 0.0),
                                   .name = common.name,
                                   .trainable = common.trainable,
                                   .dtype = common.dtype};
  if (arguments.has("seed")) options.seed = arguments.integer("seed");
  return layers::Attention(options);
}

}  // namespace

layers::Attention::Attention(const AttentionOptions& options) : LayerRef(std::make_shared<AttentionLayer>(options)) {}

void register_attention(LayerRegistry& registry) {
  using layers::Attention;
  registry.add(
      {"Attention",
       attention_from_config,
       {{"dot", [](Dtype dtype) { return Attention({.name = "dot", .dtype = dtype}); }, {{2, 3, 4}, {2, 5, 4}}},
        {"concat with key and dropout",
         [](Dtype dtype) {
           return Attention({.use_scale = true,
                             .score_mode = "concat",
                             .dropout = 0.2,
                             .seed = 3,
                             .name = "concat",
                             .dtype = dtype});
         },
         {{2, 3, 4}, {2, 5, 2}, {2, 5, 4}}}}});
}

}  // namespace strata
