// SPDX-License-Identifier: Apache-2.0
// The initializers that Keras has, under its names and defaults.
#pragma once

#include <optional>
#include <string>

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

/// Variance scale / n, where n is the number of inputs ("fan_in"), of outputs ("fan_out") or their mean ("fan_avg") of
/// a weight (..., in, out). `distribution`: "truncated_normal", "untruncated_normal" or "uniform". Throws ConfigError
/// for other words and for scale <= 0.
Initializer VarianceScaling(double scale = 1.0, const std::string& mode = "fan_in",
                            const std::string& distribution = "truncated_normal", Seed seed = {});
/// Glorot and Bengio (2010): uniform with limit sqrt(6 / (in + out)), or truncated normal of variance 2 / (in + out).
Initializer GlorotUniform(Seed seed = {});
Initializer GlorotNormal(Seed seed = {});
/// He et al. (2015): variance 2 / in.
Initializer HeUniform(Seed seed = {});
Initializer HeNormal(Seed seed = {});
/// LeCun et al. (1998): variance 1 / in.
Initializer LecunUniform(Seed seed = {});
Initializer LecunNormal(Seed seed = {});

/// A random matrix of orthonormal rows or columns (whichever are fewer), times gain; leading axes are flattened.
Initializer Orthogonal(double gain = 1.0, Seed seed = {});
/// gain on the diagonal of a matrix, 0 elsewhere.
Initializer Identity(double gain = 1.0);

}  // namespace initializers
}  // namespace strata
