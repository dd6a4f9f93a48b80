// SPDX-License-Identifier: Apache-2.0
// Dot: sums of products of two tensors.
#pragma once

#include <optional>
#include <string>

#include "core/model/layer.h"
#include "layers/axes.h"

namespace strata::layers {

struct DotOptions {
  bool normalize = false;  // divides both inputs by their length along the axes first: the result is the cosine
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

/// The products of two tensors, summed over an axis of each within every sample. `axes` is an axis of both or a pair of
/// axes; negative ones count from the end. Inputs (batch, ...) of rank at least 2, with those axes of equal size;
/// output (batch,) + the first's other axes + the second's, or (batch, 1) when there are none. Masks end here. Throws
/// ConfigError for other than one or two axes, for the batch axis and for other than two inputs, ShapeError for shapes
/// that do not match.
class Dot : public LayerRef {
 public:
  explicit Dot(const Axes& axes, const DotOptions& options = {});
};

/// The same as a call of a new layer.
Tensor dot(const std::vector<Tensor>& inputs, const Axes& axes = -1, const DotOptions& options = {});

}  // namespace strata::layers
