// SPDX-License-Identifier: Apache-2.0
// Embedding: a vector for each of a fixed number of ids.
#pragma once

#include <optional>
#include <string>

#include "core/model/initializers.h"
#include "core/model/layer.h"

namespace strata::layers {

struct EmbeddingOptions {
  Initializer embeddings_initializer = "uniform";
  Regularizer embeddings_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint embeddings_constraint = {};
  bool mask_zero = false;
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

/// y[...] = embeddings[x[...]]. Input of any shape and dtype (cast to int32 unless int32 or int64), ids in
/// [0, input_dim); the vector of any other id is NaN. Output: the input's shape + (output_dim,).
/// Weight: embeddings (input_dim, output_dim); its gradient is by rows. With mask_zero, id 0 means that there is
/// nothing: the output comes with the mask x != 0.
/// Throws ConfigError for input_dim < 1 or output_dim < 1.
class Embedding : public LayerRef {
 public:
  Embedding(Dim input_dim, Dim output_dim, const EmbeddingOptions& options = {});
};

}  // namespace strata::layers
