// SPDX-License-Identifier: Apache-2.0
// Normalization: inputs with the mean and variance that the data have.
#pragma once

#include "core/model/layer.h"
#include "layers/axes.h"
#include "layers/numbers.h"

namespace strata::layers {

struct NormalizationOptions {
  Axes axis = -1;         // with a mean and variance for each position on them; {} = one for all elements
  Numbers mean = {};      // given together, or found by adapt()
  Numbers variance = {};  // likewise
  bool invert = false;    // from normalised to original
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

/// (x - mean) / max(sqrt(variance), 1e-7), or with `invert` x * max(sqrt(variance), 1e-7) + mean. Input of any dtype
/// (cast to the layer's), of which the sizes along `axis` are known; output: the input's shape. Given mean and variance
/// broadcast to the sizes of `axis`; without them the layer has the weights mean and variance (sizes of axis), 0 and 1
/// until adapted, and count, which only old files use. Throws ConfigError unless mean and variance are given together
/// and in one shape; when called, ShapeError for axes that the input does not have or whose size is not known.
class Normalization : public LayerRef {
 public:
  explicit Normalization(const NormalizationOptions& options = {});

  /// Sets mean and variance to those of `data`, whose shape is that of an input, summed in float64; builds the layer if
  /// need be. To be called before training, with the same data on every rank. Throws ConfigError when the layer was
  /// given a mean, ShapeError when the sizes along `axis` are not those that it was built for.
  void adapt(const Tensor& data) const;
};

}  // namespace strata::layers
