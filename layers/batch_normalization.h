// SPDX-License-Identifier: Apache-2.0
// BatchNormalization: every channel of a batch to mean 0 and variance 1.
#pragma once

#include "core/model/layer.h"

namespace strata::layers {

/// Limits of the correction that renorm makes; empty = none.
struct RenormClipping {
  std::optional<double> rmax = {};
  std::optional<double> rmin = {};
  std::optional<double> dmax = {};
};

struct BatchNormalizationOptions {
  int axis = -1;  // of the channels
  double momentum = 0.99;
  double epsilon = 1e-3;
  bool center = true;
  bool scale = true;
  Initializer beta_initializer = "zeros";
  Initializer gamma_initializer = "ones";
  Initializer moving_mean_initializer = "zeros";
  Initializer moving_variance_initializer = "ones";
  Regularizer beta_regularizer = {};
  Regularizer gamma_regularizer = {};
  Constraint beta_constraint = {};
  Constraint gamma_constraint = {};
  bool renorm = false;
  RenormClipping renorm_clipping = {};  // of renorm only
  double renorm_momentum = 0.99;        // likewise
  bool synchronized = false;            // statistics of the whole batch instead of the block's
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

/// (x - mean) / sqrt(variance + epsilon) * gamma + beta for each position on `axis` (Ioffe and Szegedy, 2015). In
/// training the mean and the (biased) variance are those of the batch over all other axes, of the positions that the
/// mask counts; in inference, and with trainable = false also in training, they are the moving ones. Input of any rank
/// with a known number of channels; output: the input's shape.
///
/// Where a batch is cut into blocks, its statistics are those of a block, which is what Keras calls a replica; with
/// `synchronized` they are those of the whole batch, whatever the blocks. Every training step moves the moving
/// statistics by m -> m momentum + (1 - momentum) s, where s is the mean over the blocks, weighted by their samples, of
/// the means or variances that the blocks were normalised with. So the moving variance leaves out how the means of
/// blocks differ, as in Keras; `synchronized` includes it.
///
/// With `renorm` training corrects the output by what the batch's statistics differ from moving ones of their own
/// (Ioffe, 2017), with renorm_momentum.
///
/// Weights: gamma, beta, moving_mean, moving_variance, with renorm also moving_stddev, renorm_mean, renorm_stddev, each
/// (channels,); gamma if scale, beta if center. Throws ConfigError for clipping that contradicts itself; when called,
/// ShapeError for an axis that the input does not have, or a mask that has not one axis less than the input.
class BatchNormalization : public LayerRef {
 public:
  explicit BatchNormalization(const BatchNormalizationOptions& options = {});
};

}  // namespace strata::layers
