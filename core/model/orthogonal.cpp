// SPDX-License-Identifier: Apache-2.0
#include "core/model/orthogonal.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "core/base/error.h"

namespace strata {
namespace {

using Vector = std::span<double>;

double dot(Vector a, Vector b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// Makes `count` vectors of length `size` orthonormal, each from itself and those before it (Gram-Schmidt). Projecting
/// twice leaves an error of the order of rounding (Giraud et al., 2005).
void orthonormalize(std::vector<double>& values, std::size_t count, std::size_t size) {
  const auto vector = [&](std::size_t i) { return Vector(values).subspan(i * size, size); };
  for (std::size_t i = 0; i < count; ++i) {
    const Vector own = vector(i);
    for (int pass = 0; pass < 2; ++pass) {
      for (std::size_t k = 0; k < i; ++k) {
        const double along = dot(vector(k), own);
        for (std::size_t e = 0; e < size; ++e) own[e] -= along * vector(k)[e];
      }
    }
    const double norm = std::sqrt(dot(own, own));
    for (double& element : own) element /= norm;
  }
}

}  // namespace

Tensor random_orthogonal(const RandomKey& key, const Shape& shape, double gain, Dtype dtype) {
  if (shape.rank() < 2) {
    throw ShapeError("The tensor to initialize must be at least two-dimensional. Received: shape=" + shape.str() +
                     " of rank " + std::to_string(shape.rank()) + ".");
  }
  const Dim columns = shape.back();
  const Dim rows = columns == 0 ? 0 : shape.elements() / columns;
  const Dim count = std::min(rows, columns);
  const Dim size = std::max(rows, columns);
  // Row i holds vector i: the normal values are the transpose of the matrix that is decomposed.
  std::vector<double> values = ops::random_normal(key, {count, size}, 0.0, 1.0, Dtype::float64).to_vector<double>();
  orthonormalize(values, static_cast<std::size_t>(count), static_cast<std::size_t>(size));
  const Tensor vectors = constant(values, {count, size});
  const Tensor matrix = rows < columns ? vectors : ops::transpose(vectors, {1, 0});
  return ops::cast(ops::reshape(matrix, shape) * gain, dtype);
}

}  // namespace strata
