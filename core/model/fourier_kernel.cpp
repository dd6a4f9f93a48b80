// SPDX-License-Identifier: Apache-2.0
#include "core/model/fourier_kernel.h"

#include <cmath>
#include <map>
#include <numbers>

#include "core/base/error.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

/// Windows that are sums of cosines: w(t) = a0 - a1 cos(p) + a2 cos(2p) - ..., where p runs from 0 to 2 pi; the numbers
/// of scipy.signal.windows.
const std::map<std::string, std::vector<double>>& cosine_windows() {
  static const std::map<std::string, std::vector<double>> all = {
      {"blackman", {0.42, 0.50, 0.08}},
      {"blackmanharris", {0.35875, 0.48829, 0.14128, 0.01168}},
      {"boxcar", {1.0}},
      {"flattop", {0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368}},
      {"hamming", {0.54, 0.46}},
      {"hann", {0.5, 0.5}},
      {"nuttall", {0.3635819, 0.4891775, 0.1365995, 0.0106411}},
  };
  return all;
}

std::vector<double> cosine_window(const std::vector<double>& factors, Dim size, bool periodic) {
  std::vector<double> window(static_cast<std::size_t>(size), 1.0);
  if (size < 2) return window;
  for (std::size_t t = 0; t < window.size(); ++t) {
    const double phase =
        2.0 * std::numbers::pi * static_cast<double>(t) / static_cast<double>(periodic ? size : size - 1);
    window[t] = 0.0;
    for (std::size_t k = 0; k < factors.size(); ++k) {
      window[t] += (k % 2 == 0 ? factors[k] : -factors[k]) * std::cos(static_cast<double>(k) * phase);
    }
  }
  return window;
}

}  // namespace

void FourierKernel::check() const {
  if (!window.is_string() || cosine_windows().contains(window.as_string())) return;
  std::string names;
  for (const auto& entry : cosine_windows()) names += (names.empty() ? "" : ", ") + entry.first;
  throw ConfigError("STFT: expected a window that is one of " + names + ", a list of numbers or None, received " +
                    window.as_string());
}

std::vector<double> FourierKernel::scaled_window(Dim size) const {
  if (window.is_null()) return std::vector<double>(static_cast<std::size_t>(size), 1.0);
  std::vector<double> factors;
  if (window.is_string()) {
    factors = cosine_window(cosine_windows().at(window.as_string()), size, periodic);
  } else {
    for (const Config& value : window.as_list()) factors.push_back(value.as_double());
  }
  if (factors.size() != static_cast<std::size_t>(size)) {
    throw ShapeError("The shape of `window` must be equal to [frame_length]. Received: window shape=(" +
                     std::to_string(factors.size()) + ",), frame_length=" + std::to_string(size));
  }
  double squares = 0.0, absolute = 0.0;
  for (const double factor : factors) {
    squares += factor * factor;
    absolute += std::abs(factor);
  }
  const double scale = scaling == "density" ? std::sqrt(squares) : scaling == "spectrum" ? absolute : 1.0;
  for (double& factor : factors) factor /= scale;
  return factors;
}

Tensor FourierKernel::values(const Shape& shape, Dtype dtype) const {
  if (shape.rank() != 3 || shape[1] != 1 || shape[2] < 2) {
    throw ShapeError("STFT: expected a weight of shape (time, 1, frequencies) with at least 2 frequencies, received " +
                     shape.str());
  }
  const std::vector<double> factors = scaled_window(shape[0]);
  const double step = -std::numbers::pi / static_cast<double>(shape[2] - 1);
  std::vector<double> kernel;
  for (std::size_t t = 0; t < factors.size(); ++t) {
    for (Dim f = 0; f < shape[2]; ++f) {
      const double angle = step * static_cast<double>(t) * static_cast<double>(f);
      kernel.push_back(factors[t] * (sine ? std::sin(angle) : std::cos(angle)));
    }
  }
  return ops::cast(constant(kernel, shape), dtype);
}

}  // namespace strata
