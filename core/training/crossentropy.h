// SPDX-License-Identifier: Apache-2.0
// Internal to losses: what the cross-entropies share, and the lookup of losses by name.
#pragma once

#include "core/ops/ops.h"
#include "core/training/loss.h"

namespace strata {

/// Clips probabilities to [1e-7, 1 - 1e-7], so that their logarithms are finite. No gradient flows where it clips.
inline Tensor clip_probabilities(const Tensor& p) {
  constexpr double epsilon = 1e-7;
  return ops::minimum(ops::maximum(p, scalar(epsilon, p.dtype())), scalar(1.0 - epsilon, p.dtype()));
}

/// t (1 - smoothing) + smoothing / classes.
inline Tensor smooth_labels(const Tensor& t, double smoothing, double classes) {
  return smoothing == 0.0 ? t : t * (1.0 - smoothing) + smoothing / classes;
}

/// Throws ConfigError, beginning with `loss`, unless the smoothing is in [0, 1].
void check_label_smoothing(const std::string& loss, double smoothing);

/// The loss of this Keras name; empty when there is none.
Loss find_loss(const std::string& name);

}  // namespace strata
