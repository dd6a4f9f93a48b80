// SPDX-License-Identifier: Apache-2.0
#include "core/training/to_categorical.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/ops/ops.h"

namespace strata {

Tensor to_categorical(const Tensor& labels, Dim num_classes) {
  const Shape& shape = labels.shape();
  if (shape.rank() == 0 || shape.rank() > 2 || (shape.rank() == 2 && shape[1] != 1)) {
    throw ShapeError("to_categorical: expected labels of shape (n,) or (n, 1), received " + shape.str());
  }
  const Tensor ids = ops::reshape(ops::cast(labels, Dtype::int64), {shape[0]});
  const auto values = ids.to_vector<std::int64_t>();
  if (num_classes == 0) num_classes = values.empty() ? 0 : *std::max_element(values.begin(), values.end()) + 1;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] >= 0 && values[i] < num_classes) continue;
    throw ConfigError("to_categorical: expected labels from 0 to " + std::to_string(num_classes - 1) + ", received " +
                      std::to_string(values[i]) + " at row " + std::to_string(i));
  }
  return ops::one_hot(ids, num_classes);
}

}  // namespace strata
