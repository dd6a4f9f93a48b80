// SPDX-License-Identifier: Apache-2.0
// Kernels of the short-time Fourier transform, for the initializer STFT.
#pragma once

#include <string>
#include <vector>

#include "core/base/config.h"
#include "core/tensor/tensor.h"

namespace strata {

/// What initializers::STFT describes.
struct FourierKernel {
  bool sine = false;
  Config window = {};
  std::string scaling = {};
  bool periodic = false;

  /// Throws ConfigError for a window that is not known.
  void check() const;
  /// Throws ShapeError unless the shape is (T, 1, F) and a given window has T values.
  Tensor values(const Shape& shape, Dtype dtype) const;

 private:
  /// One factor a time step.
  std::vector<double> scaled_window(Dim size) const;
};

}  // namespace strata
