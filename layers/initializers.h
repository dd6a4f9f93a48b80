// SPDX-License-Identifier: Apache-2.0
// Initializers: first values of weights, under Keras' names and defaults.
#pragma once

#include <optional>
#include <string>

#include "core/model/layer.h"

namespace strata {

/// A rule for first values. A value type, immutable and thread-safe; usable wherever an InitialValue is asked for.
/// Random values depend only on the session's seed and the weight's path (or on the rule's own seed, if it has one).
class Initializer {
 public:
  /// By Keras name: "glorot_uniform", "GlorotUniform", "zeros", ... Throws ConfigError "Unknown initializer:x".
  Initializer(const char* name) : Initializer(std::string(name)) {}  // NOLINT(google-explicit-constructor)
  Initializer(const std::string& name);                              // NOLINT(google-explicit-constructor)
  /// What Keras would serialise as `class_name` and `config`; `draw` computes the values.
  Initializer(std::string class_name, Config config, InitialValue draw)
      : class_name_(std::move(class_name)), config_(std::move(config)), draw_(std::move(draw)) {}

  /// Values of the given (known) shape.
  Tensor operator()(const Shape& shape, Dtype dtype, const RandomKey& key) const { return draw_(shape, dtype, key); }
  const std::string& class_name() const { return class_name_; }
  /// {"class_name": "GlorotUniform", "config": {"seed": null}}.
  Config config() const { return Config::object({{"class_name", class_name_}, {"config", config_}}); }
  /// Reads what config() wrote, or a name. Throws ConfigError for an unknown class or argument.
  static Initializer from_config(const Config& config);

 private:
  std::string class_name_;
  Config config_;
  InitialValue draw_;
};

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
