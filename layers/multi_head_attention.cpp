// SPDX-License-Identifier: Apache-2.0
#include "layers/multi_head_attention.h"

#include <algorithm>
#include <numeric>

#include "core/base/error.h"
#include "core/model/config_dialect.h"
#include "core/ops/einsum.h"
#include "layers/layer_config.h"
#include "layers/multi_head.h"
#include "layers/registry.h"

namespace strata {
namespace {

void check_positive(const char* name, Dim value, const char* expected = "expected a positive integer") {
  if (value >= 1) return;
  throw ConfigError(std::string("Received an invalid value for argument `") + name + "`, " + expected +
                    ". Received: " + name + "=" + std::to_string(value));
}

MultiHeadOptions shared_options(const layers::MultiHeadAttentionOptions& o) {
  return {o.dropout,           o.use_bias,           o.sliding_window,   o.kernel_initializer,
          o.bias_initializer,  o.kernel_regularizer, o.bias_regularizer, o.activity_regularizer,
          o.kernel_constraint, o.bias_constraint,    o.use_gate,         o.seed};
}

/// Without what tf.keras does not know, unless it matters; with the shapes that it asks for, null = built by the call.
Config for_keras2(const Config& config) {
  Config all = Config::object();
  for (const auto& [key, value] : config.as_object()) {
    const bool unknown =
        key == "seed" || (key == "use_gate" && !value.as_bool()) || (key == "sliding_window" && value.is_null());
    if (!unknown) all.set(key, value);
  }
  return all.set("query_shape", nullptr).set("value_shape", nullptr).set("key_shape", nullptr);
}

class MultiHeadAttentionLayer final : public MultiHeadLayer {
 public:
  MultiHeadAttentionLayer(Dim num_heads, Dim key_dim, const layers::MultiHeadAttentionOptions& options)
      : MultiHeadLayer(shared_options(options), {options.name, options.trainable, options.dtype}),
        num_heads_(num_heads),
        key_dim_(key_dim),
        options_(options) {
    check_positive("num_heads", num_heads);
    check_positive("key_dim", key_dim);
    if (options.value_dim) {
      check_positive("value_dim", *options.value_dim, "expected a positive integer or `None`");
    }
  }

  std::string class_name() const override { return "MultiHeadAttention"; }
  Config config() const override {
    Config::List axes(options_.attention_axes.begin(), options_.attention_axes.end());
    Config all =
        Config::object({{"num_heads", num_heads_},
                        {"key_dim", key_dim_},
                        {"value_dim", value_dim()},
                        {"output_shape", options_.output_shape.rank() > 0 ? Config(options_.output_shape) : Config()},
                        {"attention_axes", axes.empty() ? Config() : Config(axes)}});
    for (auto& [key, value] : shared_config()) all.set(key, value);
    return ConfigDialectScope::current() == ConfigDialect::keras2 ? for_keras2(all) : all;
  }

 protected:
  Sizes sizes(const Shape& query) const override {
    const Shape output = options_.output_shape.rank() > 0 ? options_.output_shape : Shape{query.back()};
    return {{num_heads_, key_dim_}, {num_heads_, key_dim_}, {num_heads_, value_dim()}, output};
  }

  void check_shapes(const Shape& query, const Shape& value, const Shape& key) override {
    MultiHeadLayer::check_shapes(query, value, key);
    if (value.rank() != query.rank()) {
      throw ShapeError("MultiHeadAttention: expected query and value of one rank, received shapes " + query.str() +
                       " and " + value.str());
    }
    write_equations(query.rank() + 1);
  }

  std::string attribute(const std::string& projection) const override { return projection + "_dense"; }
  int attended_axes() const override { return attended_axes_; }
  Tensor compare(const Tensor& query, const Tensor& key) const override {
    return ops::einsum(compare_equation_, query, key);
  }
  Tensor combine(const Tensor& weights, const Tensor& value) const override {
    return ops::einsum(combine_equation_, weights, value);
  }

 private:
  Dim value_dim() const { return options_.value_dim.value_or(key_dim_); }

  /// Projected tensors have `rank` axes: batch, others, heads, features. Axes attended over have a letter of their own
  /// in key and value; in the scores they come last, those of the query before those of the key.
  void write_equations(int rank) {
    std::vector<int> attended;
    for (const int axis : options_.attention_axes) {
      attended.push_back(normalize_axis(axis, rank - 1, "MultiHeadAttention: attention_axes"));
    }
    if (attended.empty()) {
      attended.resize(static_cast<std::size_t>(rank - 3));
      std::iota(attended.begin(), attended.end(), 1);
    }
    std::string query, key, batch;
    char next = static_cast<char>('a' + rank);
    for (int axis = 0; axis < rank; ++axis) {
      const char letter = static_cast<char>('a' + axis);
      const bool over = std::find(attended.begin(), attended.end(), axis) != attended.end();
      query += letter;
      key += over ? next++ : letter;
      if (!over && axis < rank - 1) batch += letter;
    }
    std::string from, to;
    for (const int axis : attended) {
      from += query[static_cast<std::size_t>(axis)];
      to += key[static_cast<std::size_t>(axis)];
    }
    const std::string scores = batch + from + to;
    attended_axes_ = static_cast<int>(attended.size());
    compare_equation_ = query + "," + key + "->" + scores;
    combine_equation_ = scores + "," + key + "->" + query;
  }

  Dim num_heads_;
  Dim key_dim_;
  layers::MultiHeadAttentionOptions options_;
  int attended_axes_ = 1;
  std::string compare_equation_;
  std::string combine_equation_;
};

LayerRef multi_head_attention_from_config(const Config& config) {
  const LayerConfig arguments(
      "MultiHeadAttention", config,
      multi_head_arguments({"num_heads", "key_dim", "value_dim", "output_shape", "attention_axes",
                            // Of tf.keras: what it builds the layer for, and how it masks, for which there is one way.
                            "query_shape", "value_shape", "key_shape", "softmax_robust_masking"}));
  const LayerOptions common = arguments.options();
  const MultiHeadOptions shared = multi_head_options(arguments);
  layers::MultiHeadAttentionOptions options{.dropout = shared.dropout,
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
                                            .dtype = common.dtype};
  if (arguments.has("value_dim")) options.value_dim = arguments.integer("value_dim");
  if (const Config& shape = arguments.get("output_shape"); !shape.is_null()) {
    options.output_shape = shape.is_int() ? Shape{shape.as_int()} : shape.as_shape();
  }
  if (const Config& axes = arguments.get("attention_axes"); axes.is_int()) {
    options.attention_axes = {static_cast<int>(axes.as_int())};
  } else if (!axes.is_null()) {
    for (const Config& axis : axes.as_list()) options.attention_axes.push_back(static_cast<int>(axis.as_int()));
  }
  return layers::MultiHeadAttention(arguments.integer("num_heads"), arguments.integer("key_dim"), options);
}

}  // namespace

layers::MultiHeadAttention::MultiHeadAttention(Dim num_heads, Dim key_dim, const MultiHeadAttentionOptions& options)
    : LayerRef(std::make_shared<MultiHeadAttentionLayer>(num_heads, key_dim, options)) {}

void register_multi_head_attention(LayerRegistry& registry) {
  using layers::MultiHeadAttention;
  registry.add(
      {"MultiHeadAttention",
       multi_head_attention_from_config,
       {{"value as key",
         [](Dtype dtype) { return MultiHeadAttention(2, 3, {.name = "attention", .dtype = dtype}); },
         {{2, 3, 4}, {2, 5, 4}}},
        {"sizes, dropout, gate, window",
         [](Dtype dtype) {
           return MultiHeadAttention(2, 2,
                                     {.value_dim = 3,
                                      .dropout = 0.2,
                                      .output_shape = {3, 2},
                                      .sliding_window = 2,
                                      .use_gate = true,
                                      .seed = 5,
                                      .name = "sizes",
                                      .dtype = dtype});
         },
         {{2, 3, 4}, {2, 3, 2}, {2, 3, 5}}},
        {"several axes",
         [](Dtype dtype) { return MultiHeadAttention(2, 2, {.use_bias = false, .name = "axes", .dtype = dtype}); },
         {{2, 2, 3, 4}, {2, 3, 2, 4}}},
        {"one of several axes",
         [](Dtype dtype) { return MultiHeadAttention(2, 2, {.attention_axes = {-2}, .name = "axis", .dtype = dtype}); },
         {{2, 2, 3, 4}, {2, 2, 4, 4}}}}});
}

}  // namespace strata
