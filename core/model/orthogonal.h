// SPDX-License-Identifier: Apache-2.0
// Random orthogonal matrices, for the initializer of that name.
#pragma once

#include "core/ops/ops.h"

namespace strata {

/// `shape` (rank >= 2) seen as a matrix (product of the leading axes, last axis): its rows or columns, whichever are
/// fewer, are orthonormal, times gain. Uniformly distributed: the Q of the QR decomposition, with positive diagonal of
/// R, of a matrix of standard normal values (Mezzadri, "How to generate random matrices from the classical compact
/// groups", 2007).
Tensor random_orthogonal(const RandomKey& key, const Shape& shape, double gain, Dtype dtype);

}  // namespace strata
