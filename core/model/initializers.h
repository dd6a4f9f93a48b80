// SPDX-License-Identifier: Apache-2.0
// The initializers that Keras has, under its names and defaults.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/model/initializer.h"

namespace strata {

namespace initializers {

/// Empty = the session's seed and the weight's path decide.
using Seed = std::optional<std::int64_t>;

Initializer Zeros();
Initializer Ones();
Initializer Constant(double value = 0.0);
Initializer RandomNormal(double mean = 0.0, double stddev = 0.05, Seed seed = {});
Initializer RandomUniform(double minval = -0.05, double maxval = 0.05, Seed seed = {});
/// Normal values, those beyond two standard deviations drawn again.
Initializer TruncatedNormal(double mean = 0.0, double stddev = 0.05, Seed seed = {});

/// The axes of a weight whose sizes multiply to the numbers of inputs and of outputs. While either is empty the weight
/// is (..., in, out), and the product of the leading axes counts in both.
struct FanAxes {
  std::vector<int> input = {};
  std::vector<int> output = {};
};

/// Variance scale / n, where n is the number of inputs ("fan_in"), of outputs ("fan_out") or their mean ("fan_avg").
/// `distribution`: "truncated_normal" (or "normal"), "untruncated_normal" or "uniform". Throws ConfigError for other
/// words and for scale <= 0.
Initializer VarianceScaling(double scale = 1.0, const std::string& mode = "fan_in",
                            const std::string& distribution = "truncated_normal", Seed seed = {},
                            const FanAxes& axes = {});
/// Glorot and Bengio (2010): uniform with limit sqrt(6 / (in + out)), or truncated normal of variance 2 / (in + out).
Initializer GlorotUniform(Seed seed = {}, const FanAxes& axes = {});
Initializer GlorotNormal(Seed seed = {}, const FanAxes& axes = {});
/// He et al. (2015): variance 2 / in.
Initializer HeUniform(Seed seed = {}, const FanAxes& axes = {});
Initializer HeNormal(Seed seed = {}, const FanAxes& axes = {});
/// LeCun et al. (1998): variance 1 / in.
Initializer LecunUniform(Seed seed = {}, const FanAxes& axes = {});
Initializer LecunNormal(Seed seed = {}, const FanAxes& axes = {});

/// A random matrix of orthonormal rows or columns (whichever are fewer), times gain; leading axes are flattened.
Initializer Orthogonal(double gain = 1.0, Seed seed = {});
/// gain on the diagonal of a matrix, 0 elsewhere.
Initializer Identity(double gain = 1.0);

/// The kernel (T, 1, F) of a short-time Fourier transform with F of its 2 (F - 1) frequencies: at [t, 0, f] the cosine
/// (side "real") or sine ("imag") of -2 pi t f / (2 (F - 1)), times a window over t. `window`: "blackman",
/// "blackmanharris", "boxcar", "flattop", "hamming", "hann" or "nuttall", as in scipy.signal.windows; a list of T
/// numbers; null for none. With `scaling` "density" the window's root of the sum of squares is 1, with "spectrum" its
/// sum of absolute values; "" leaves it. A periodic window is one element short of a symmetric one. Throws ConfigError
/// for other words, ShapeError for a shape or a list of other size.
Initializer STFT(const std::string& side = "real", const Config& window = "hann",
                 const std::string& scaling = "density", bool periodic = false);

}  // namespace initializers
}  // namespace strata
