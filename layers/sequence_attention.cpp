// SPDX-License-Identifier: Apache-2.0
#include "layers/sequence_attention.h"

#include "core/base/error.h"
#include "layers/attention_masks.h"
#include "layers/dropout_mask.h"
#include "layers/seeded_key.h"

namespace strata {

void SequenceAttention::check_count(std::size_t inputs) const {
  if (inputs == 2 || inputs == 3) return;
  throw ConfigError(class_name() + " layer accepts inputs list of length 2 or 3, namely [query, value] or " +
                    "[query, value, key]. Received length: " + std::to_string(inputs) + ".");
}

void SequenceAttention::build_many(const std::vector<Shape>& inputs) {
  check_count(inputs.size());
  build_weights(inputs[0]);
}

// A masked score is lowered by a number beyond which its exponential is 0, as Keras does.
Tensor SequenceAttention::masked(const Tensor& scores, CallContext& context) const {
  Tensor mask = context.mask(1);
  if (mask && (mask.rank() == 2 || context.use_causal_mask())) mask = ops::expand_dims(mask, -2);
  if (context.use_causal_mask()) {
    const int rank = scores.rank();
    mask = both_masks(mask, causal_mask(scores.shape()[rank - 2], scores.shape()[rank - 1]));
  }
  if (!mask) return scores;
  const double beyond = scores.dtype() == Dtype::float16 ? 65504.0 : 1e9;
  return ops::select(ops::cast(mask, Dtype::boolean), scores, scores - beyond);
}

std::vector<Tensor> SequenceAttention::call_many(const std::vector<Tensor>& inputs, CallContext& context) {
  check_count(inputs.size());
  const Tensor& value = inputs[1];
  Tensor weights = ops::softmax(masked(scores(inputs[0], inputs.back()), context));
  if (context.training()) weights = drop_out(weights, weights.shape(), dropout_, seeded_key(context, seed_));
  Tensor output = ops::matmul(weights, value);
  if (const Tensor& mask = context.mask(0)) {
    const Tensor counts = ops::expand_dims(ops::cast(mask, Dtype::boolean), -1);
    output = ops::select(counts, output, scalar(0, output.dtype()));
  }
  if (context.return_attention_scores()) return {output, weights};
  return {output};
}

std::vector<Tensor> SequenceAttention::compute_mask(const std::vector<Tensor>&, const std::vector<Tensor>& masks,
                                                    CallContext&) {
  if (masks.empty()) return {};
  return {masks[0]};
}

}  // namespace strata
