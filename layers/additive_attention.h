// SPDX-License-Identifier: Apache-2.0
// AdditiveAttention: attention whose scores are sums.
#pragma once

#include <optional>
#include <string>

#include "core/model/layer.h"

namespace strata::layers {

struct AdditiveAttentionOptions {
  bool use_scale = true;  // a learned weight for each feature
  double dropout = 0.0;   // of the scores after softmax, in training
  std::optional<std::int64_t> seed = {};
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

/// softmax(sum(scale tanh(query + key))) value (Bahdanau et al., 2014). Inputs, masks and outputs are those of
/// Attention. Weight: scale (dim,) if use_scale.
class AdditiveAttention : public LayerRef {
 public:
  explicit AdditiveAttention(const AdditiveAttentionOptions& options = {});
};

}  // namespace strata::layers
