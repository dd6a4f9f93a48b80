// SPDX-License-Identifier: Apache-2.0
#include "layers/embedding.h"

#include "core/base/error.h"
#include "layers/layer_config.h"
#include "layers/registry.h"

namespace strata {
namespace {

void require_positive(const char* argument, Dim value) {
  if (value >= 1) return;
  throw ConfigError("`" + std::string(argument) + "` must be a positive integer. Received: " + argument + "=" +
                    std::to_string(value) + " (of type int).");
}

class EmbeddingLayer final : public Layer {
 public:
  EmbeddingLayer(Dim input_dim, Dim output_dim, const layers::EmbeddingOptions& options)
      : Layer({options.name, options.trainable, options.dtype, options.activity_regularizer}),
        input_dim_(input_dim),
        output_dim_(output_dim),
        options_(options) {
    require_positive("input_dim", input_dim);
    require_positive("output_dim", output_dim);
    set_autocast(false);
  }

  std::string class_name() const override { return "Embedding"; }
  Config config() const override {
    return Config::object({{"input_dim", input_dim_},
                           {"output_dim", output_dim_},
                           {"embeddings_initializer", options_.embeddings_initializer.config()},
                           {"embeddings_regularizer", options_.embeddings_regularizer.config()},
                           {"activity_regularizer", options_.activity_regularizer.config()},
                           {"embeddings_constraint", options_.embeddings_constraint.config()},
                           {"mask_zero", options_.mask_zero}});
  }

  void build(const Shape&) override {
    embeddings_ = add_weight("embeddings", {input_dim_, output_dim_},
                             {.initializer = options_.embeddings_initializer,
                              .regularizer = options_.embeddings_regularizer,
                              .constraint = options_.embeddings_constraint});
  }

  Tensor call(const Tensor& input, CallContext&) override {
    const bool integer = input.dtype() == Dtype::int32 || input.dtype() == Dtype::int64;
    const Tensor rows = ops::gather(embeddings_, integer ? input : ops::cast(input, Dtype::int32));
    return rows.dtype() == compute_dtype() ? rows : ops::cast(rows, compute_dtype());
  }

  std::vector<Tensor> compute_mask(const std::vector<Tensor>& inputs, const std::vector<Tensor>&,
                                   CallContext&) override {
    if (!options_.mask_zero) return {};
    return {ops::not_equal(inputs[0], scalar(0, inputs[0].dtype()))};
  }

 private:
  Dim input_dim_;
  Dim output_dim_;
  layers::EmbeddingOptions options_;
  Variable embeddings_;
};

LayerRef embedding_from_config(const Config& config) {
  // TF 2 also writes input_length, which its layer checks and Keras 3 ignores.
  const LayerConfig arguments("Embedding", config,
                              {"input_dim", "output_dim", "embeddings_initializer", "embeddings_regularizer",
                               "activity_regularizer", "embeddings_constraint", "mask_zero", "input_length"});
  const LayerOptions common = arguments.options();
  const layers::EmbeddingOptions options{
      .embeddings_initializer = arguments.initializer("embeddings_initializer", "uniform"),
      .embeddings_regularizer = arguments.regularizer("embeddings_regularizer"),
      .activity_regularizer = arguments.regularizer("activity_regularizer"),
      .embeddings_constraint = arguments.constraint("embeddings_constraint"),
      .mask_zero = arguments.flag("mask_zero", false),
      .name = common.name,
      .trainable = common.trainable,
      .dtype = common.dtype};
  return layers::Embedding(arguments.integer("input_dim"), arguments.integer("output_dim"), options);
}

}  // namespace

layers::Embedding::Embedding(Dim input_dim, Dim output_dim, const EmbeddingOptions& options)
    : LayerRef(std::make_shared<EmbeddingLayer>(input_dim, output_dim, options)) {}

void register_embedding(LayerRegistry& registry) {
  using layers::Embedding;
  registry.add(
      {"Embedding",
       embedding_from_config,
       {{"one id", [](Dtype dtype) { return Embedding(5, 3, {.name = "embedding", .dtype = dtype}); }, {{4}}},
        {"sequences, masked",
         [](Dtype dtype) { return Embedding(2, 5, {.mask_zero = true, .name = "embedding_masked", .dtype = dtype}); },
         {{3, 4}}}}});
}

}  // namespace strata
