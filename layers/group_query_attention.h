// SPDX-License-Identifier: Apache-2.0
// GroupQueryAttention: attention whose query heads share key and value heads.
#pragma once

#include <optional>
#include <string>

#include "core/model/layer.h"

namespace strata::layers {

struct GroupQueryAttentionOptions {
  double dropout = 0.0;  // of the weights, in training
  bool use_bias = true;
  std::optional<Dim> sliding_window = {};  // a step sees those less than this many steps away
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  Regularizer kernel_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};  // of each projection, and once more of the output (Keras)
  Constraint kernel_constraint = {};
  Constraint bias_constraint = {};
  bool use_gate = false;  // as in MultiHeadAttention
  std::optional<std::int64_t> seed = {};
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

/// Attention in which groups of num_query_heads / num_key_value_heads query heads share one head of key and value
/// (Ainslie et al., 2023). Called as MultiHeadAttention is, on {query (batch, T, dim), value (batch, S, dim)} and
/// perhaps a key (batch, S, dim_k); output (batch, T, dim), scores (batch, num_query_heads, T, S). Weights:
/// query/kernel (dim, num_query_heads, head_dim), key/kernel and value/kernel (dim, num_key_value_heads, head_dim),
/// gate/kernel as query's if use_gate, attention_output/kernel (num_query_heads, head_dim, dim), and a bias each.
/// Keras' class name in files is "GroupedQueryAttention". Throws ConfigError for sizes < 1 or query heads that do not
/// divide, ShapeError for inputs that do not fit each other.
class GroupQueryAttention : public LayerRef {
 public:
  GroupQueryAttention(Dim head_dim, Dim num_query_heads, Dim num_key_value_heads,
                      const GroupQueryAttentionOptions& options = {});
};

}  // namespace strata::layers
