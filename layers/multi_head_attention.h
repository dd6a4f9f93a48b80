// SPDX-License-Identifier: Apache-2.0
// MultiHeadAttention: attention with several heads.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/model/layer.h"

namespace strata::layers {

struct MultiHeadAttentionOptions {
  std::optional<Dim> value_dim = {};  // of a head; empty = key_dim
  double dropout = 0.0;               // of the weights, in training
  bool use_bias = true;
  Shape output_shape = {};                 // of one step; empty = the query's last dimension
  std::vector<int> attention_axes = {};    // that are attended over; empty = all but batch and features
  std::optional<Dim> sliding_window = {};  // a step sees those less than this many steps away
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  Regularizer kernel_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};  // of each projection
  Constraint kernel_constraint = {};
  Constraint bias_constraint = {};
  bool use_gate = false;  // multiplies what was attended to by sigmoid(a projection of the query) (Qiu et al., 2025)
  std::optional<std::int64_t> seed = {};
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

/// Attention of several heads (Vaswani et al., 2017): softmax(q k' / sqrt(key_dim)) v for each head, with q, k, v
/// projections of query, key and value, projected to the output.
/// Call it on {query (batch, T..., in), value (batch, S..., in_v)}, and a key (batch, S..., in_k) as third where it is
/// not the value. Output (batch, T...) + output_shape; with return_attention_scores also the weights (batch, num_heads,
/// T..., S...) before dropout. A step looks where all of these let it: attention_mask (bool, broadcasts to (batch,
/// T..., S...), or with an axis of heads), use_causal_mask, sliding_window, and the masks of query, value and key.
/// Keeps the query's mask. In a step that may look nowhere the weights are 0, but uniform without dropout, scores and
/// further axes (Keras). Weights: query/kernel (in, num_heads, key_dim), query/bias (num_heads, key_dim), key/...,
/// gate/... if use_gate, value/..., attention_output/kernel (num_heads, value_dim) + output, attention_output/bias.
/// Throws ConfigError for sizes < 1, ShapeError for inputs that do not fit each other.
class MultiHeadAttention : public LayerRef {
 public:
  MultiHeadAttention(Dim num_heads, Dim key_dim, const MultiHeadAttentionOptions& options = {});
};

}  // namespace strata::layers
