// SPDX-License-Identifier: Apache-2.0
#include "layers/group_query_attention.h"

#include "core/base/error.h"
#include "core/ops/einsum.h"
#include "layers/layer_config.h"
#include "layers/multi_head.h"
#include "layers/registry.h"

namespace strata {
namespace {

MultiHeadOptions shared_options(const layers::GroupQueryAttentionOptions& o) {
  return {o.dropout,           o.use_bias,           o.sliding_window,   o.kernel_initializer,
          o.bias_initializer,  o.kernel_regularizer, o.bias_regularizer, o.activity_regularizer,
          o.kernel_constraint, o.bias_constraint,    o.use_gate,         o.seed};
}

class GroupQueryAttentionLayer final : public MultiHeadLayer {
 public:
  // Keras' layer keeps the penalty as its own too, so that it counts twice for the output.
  GroupQueryAttentionLayer(Dim head_dim, Dim query_heads, Dim key_value_heads,
                           const layers::GroupQueryAttentionOptions& options)
      : MultiHeadLayer(shared_options(options),
                       {options.name, options.trainable, options.dtype, options.activity_regularizer}),
        head_dim_(head_dim),
        query_heads_(query_heads),
        key_value_heads_(key_value_heads) {
    if (head_dim < 1 || query_heads < 1 || key_value_heads < 1) {
      throw ConfigError("GroupQueryAttention: expected positive sizes. Received: head_dim=" + std::to_string(head_dim) +
                        ", num_query_heads=" + std::to_string(query_heads) +
                        ", num_key_value_heads=" + std::to_string(key_value_heads));
    }
    if (query_heads % key_value_heads != 0) {
      throw ConfigError("`num_query_heads` must be divisible by `num_key_value_heads`.");
    }
  }

  std::string class_name() const override { return "GroupedQueryAttention"; }
  Config config() const override {
    Config all = Config::object(
        {{"head_dim", head_dim_}, {"num_query_heads", query_heads_}, {"num_key_value_heads", key_value_heads_}});
    for (auto& [key, value] : shared_config()) all.set(key, value);
    return all;
  }

 protected:
  Sizes sizes(const Shape& query) const override {
    return {{query_heads_, head_dim_}, {key_value_heads_, head_dim_}, {key_value_heads_, head_dim_}, {query.back()}};
  }

  void check_shapes(const Shape& query, const Shape& value, const Shape& key) override {
    const std::string shapes = "Received: query_shape=" + query.str() + ", value_shape=" + value.str();
    if (query.rank() != 3 || value.rank() != 3 || key.rank() != 3) {
      throw ShapeError("GroupQueryAttention: expected inputs of rank 3. " + shapes + ", key_shape=" + key.str());
    }
    if (query.back() != value.back()) {
      throw ShapeError("The last dimension of `query_shape` and `value_shape` must be equal, but are " +
                       std::to_string(query.back()) + ", " + std::to_string(value.back()) + ". " + shapes);
    }
    MultiHeadLayer::check_shapes(query, value, key);
  }

  // The query's heads are seen as groups (g) of heads (r) that share a head of key and value.
  Tensor compare(const Tensor& query, const Tensor& key) const override {
    const Shape& q = query.shape();
    const Tensor groups = ops::reshape(query, {q[0], q[1], key_value_heads_, repeats(), head_dim_});
    const Tensor scores = ops::einsum("bqgrh,bkgh->bgrqk", groups, key);
    return ops::reshape(scores, {q[0], query_heads_, q[1], key.shape()[1]});
  }

  Tensor combine(const Tensor& weights, const Tensor& value) const override {
    const Shape& w = weights.shape();
    const Tensor groups = ops::reshape(weights, {w[0], key_value_heads_, repeats(), w[2], w[3]});
    const Tensor attended = ops::einsum("bgrqk,bkgh->bqgrh", groups, value);
    return ops::reshape(attended, {w[0], w[2], query_heads_, head_dim_});
  }

 private:
  Dim repeats() const { return query_heads_ / key_value_heads_; }

  Dim head_dim_;
  Dim query_heads_;
  Dim key_value_heads_;
};

LayerRef group_query_attention_from_config(const Config& config) {
  const LayerConfig arguments("GroupedQueryAttention", config,
                              multi_head_arguments({"head_dim", "num_query_heads", "num_key_value_heads"}));
  const LayerOptions common = arguments.options();
  const MultiHeadOptions shared = multi_head_options(arguments);
  return layers::GroupQueryAttention(arguments.integer("head_dim"), arguments.integer("num_query_heads"),
                                     arguments.integer("num_key_value_heads"),
                                     {.dropout = shared.dropout,
                                      .use_bias = shared.use_bias,
                                      .sliding_window = shared.sliding_window,
                                      .kernel_initializer = shared.kernel_initializer,
                                      .bias_initializer = shared.bias_initializer,
                                      .kernel_regularizer = shared.kernel_regularizer,
                                      .bias_regularizer = shared.bias_regularizer,
                                      .activity_regularizer = shared.activity_regularizer,
                                      .kernel_constraint = shared.kernel_constraint,
                                      .bias_constraint = shared.bias_constraint,
                                      .use_gate = shared.use_gate,
                                      .seed = shared.seed,
                                      .name = common.name,
                                      .trainable = common.trainable,
                                      .dtype = common.dtype});
}

}  // namespace

layers::GroupQueryAttention::GroupQueryAttention(Dim head_dim, Dim num_query_heads, Dim num_key_value_heads,
                                                 const GroupQueryAttentionOptions& options)
    : LayerRef(std::make_shared<GroupQueryAttentionLayer>(head_dim, num_query_heads, num_key_value_heads, options)) {}

void register_group_query_attention(LayerRegistry& registry) {
  using layers::GroupQueryAttention;
  registry.add_alias("GroupQueryAttention", "GroupedQueryAttention");
  registry.add({"GroupedQueryAttention",
                group_query_attention_from_config,
                {{"groups of two",
                  [](Dtype dtype) { return GroupQueryAttention(2, 4, 2, {.name = "groups", .dtype = dtype}); },
                  {{2, 3, 4}, {2, 5, 4}}},
                 {"one key head, dropout, gate, window",
                  [](Dtype dtype) {
                    return GroupQueryAttention(3, 2, 1,
                                               {.dropout = 0.2,
                                                .use_bias = false,
                                                .sliding_window = 2,
                                                .use_gate = true,
                                                .name = "one",
                                                .dtype = dtype});
                  },
                  {{2, 3, 4}, {2, 4, 4}, {2, 4, 3}}}}});
}

}  // namespace strata
