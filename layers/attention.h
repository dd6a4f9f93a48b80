// SPDX-License-Identifier: Apache-2.0
// Attention: dot-product attention over a sequence.
#pragma once

#include <optional>
#include <string>

#include "core/model/layer.h"

namespace strata::layers {

struct AttentionOptions {
  bool use_scale = false;          // multiplies the scores by a learned number
  std::string score_mode = "dot";  // or "concat"
  double dropout = 0.0;            // of the scores after softmax, in training
  std::optional<std::int64_t> seed = {};
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

/// softmax(scores) value (Luong et al., 2015). Inputs {query (batch, Tq, dim), value (batch, Tv, dim_v)}, and a key
/// (batch, Tv, dim) as third where it is not the value. Output (batch, Tq, dim_v). Scores (batch, Tq, Tv): "dot": scale
/// query key'; "concat": concat_score_weight sum(tanh(scale (query + key))).
/// The caller may ask for the scores as a second output (return_attention_scores) and hide later steps
/// (use_causal_mask). Masks: where the query's is false the output is 0, where the value's is false nothing looks.
/// Weights: scale () if use_scale, concat_score_weight () for "concat". Throws ConfigError for other score modes and
/// numbers of inputs.
class Attention : public LayerRef {
 public:
  explicit Attention(const AttentionOptions& options = {});
};

}  // namespace strata::layers
