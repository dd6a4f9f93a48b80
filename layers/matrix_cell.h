// SPDX-License-Identifier: Apache-2.0
// Internal to SimpleRNN, LSTM and GRU: cells whose kernels are matrices.
#pragma once

#include "layers/kernel_cell.h"

namespace strata {

/// Input (batch, in), states (batch, units).
class MatrixCell : public KernelCell {
 public:
  /// Throws ConfigError for units < 1.
  MatrixCell(KernelCellArguments arguments, Dim gates, const LayerOptions& layer);
  std::vector<Shape> state_size() const override { return {{units()}}; }

 protected:
  Config size_config() const override { return Config::object({{"units", units()}}); }
  Dim checked_features(const Shape& input) override;
  Tensor input_product(const Tensor& x, const Tensor& kernel) const override { return ops::matmul(x, kernel); }
  Tensor state_product(const Tensor& h, const Tensor& kernel) const override { return ops::matmul(h, kernel); }
};

}  // namespace strata
