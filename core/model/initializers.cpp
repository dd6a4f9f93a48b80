// SPDX-License-Identifier: Apache-2.0
#include "core/model/initializers.h"

#include <cmath>

#include "core/base/error.h"
#include "core/model/named_rules.h"
#include "core/model/orthogonal.h"

namespace strata {
namespace {

using initializers::Seed;

Config seed_config(const Seed& seed) { return seed ? Config(*seed) : Config(); }

/// A rule's own seed replaces the session's seed and the weight's path.
RandomKey seeded(const RandomKey& key, const Seed& seed) {
  if (!seed) return key;
  return {constant<std::int64_t>({*seed, 0, 0}, {3}), 0};
}

Tensor truncated_normal(const RandomKey& key, const Shape& shape, double mean, double stddev, Dtype dtype) {
  RandomKey draw = key;
  Tensor z = ops::random_normal(draw, shape, 0.0, 1.0, dtype);
  const Tensor two = scalar(2.0, dtype);
  const auto is_outside = [&] { return ops::greater(ops::abs(z), two); };
  const auto any = [](const Tensor& outside) {
    return ops::max(ops::cast(outside, Dtype::int32)).item<std::int32_t>() != 0;
  };
  for (Tensor outside = is_outside(); shape.elements() > 0 && any(outside); outside = is_outside()) {
    ++draw.stream;
    z = ops::select(outside, ops::random_normal(draw, shape, 0.0, 1.0, dtype), z);
    z.eval();
  }
  return z * stddev + mean;
}

/// What VarianceScaling calls n.
double fan(const Shape& shape, const std::string& mode) {
  double receptive = 1.0;
  for (int axis = 0; axis < shape.rank() - 2; ++axis) receptive *= static_cast<double>(shape[axis]);
  const int rank = shape.rank();
  const double out = rank == 0 ? 1.0 : receptive * static_cast<double>(shape.back());
  const double in = rank < 2 ? out : receptive * static_cast<double>(shape[rank - 2]);
  return mode == "fan_in" ? in : mode == "fan_out" ? out : (in + out) / 2.0;
}

/// The standard deviation of a normal distribution cut at two of its own standard deviations.
constexpr double kTruncatedStddev = 0.87962566103423978;

InitialValue scaled_variance(double scale, const std::string& mode, const std::string& distribution, Seed seed) {
  return [=](const Shape& shape, Dtype dtype, const RandomKey& key) {
    const double variance = scale / std::max(1.0, fan(shape, mode));
    const RandomKey from = seeded(key, seed);
    if (distribution == "uniform") {
      const double limit = std::sqrt(3.0 * variance);
      return ops::random_uniform(from, shape, -limit, limit, dtype);
    }
    if (distribution == "untruncated_normal") return ops::random_normal(from, shape, 0.0, std::sqrt(variance), dtype);
    return truncated_normal(from, shape, 0.0, std::sqrt(variance) / kTruncatedStddev, dtype);
  };
}

/// A VarianceScaling under a name of its own, described by its seed alone.
Initializer named_scaling(const char* name, double scale, const char* mode, const char* distribution, Seed seed) {
  return {name, Config::object({{"seed", seed_config(seed)}}), scaled_variance(scale, mode, distribution, seed)};
}

Initializer filled(const char* name, Config config, double value) {
  return {name, std::move(config),
          [value](const Shape& shape, Dtype dtype, const RandomKey&) { return ops::full(shape, value, dtype); }};
}

using Make = Initializer (*)(Seed);

RuleTable<Initializer>::Entry seed_only(const std::string& alias, Make make) {
  return {{alias}, {"seed"}, [make](const RuleArguments& a) { return make(a.seed()); }};
}

const RuleTable<Initializer>& table() {
  using namespace initializers;
  static const RuleTable<Initializer> all(
      "Initializer", "Unknown initializer:",
      {{"Zeros", {{"zeros", "zero"}, {}, [](const RuleArguments&) { return Zeros(); }}},
       {"Ones", {{"ones", "one"}, {}, [](const RuleArguments&) { return Ones(); }}},
       {"Constant", {{"constant"}, {"value"}, [](const RuleArguments& a) { return Constant(a.number("value", 0.0)); }}},
       {"RandomNormal",
        {{"random_normal", "normal"},
         {"mean", "stddev", "seed"},
         [](const RuleArguments& a) {
           return RandomNormal(a.number("mean", 0.0), a.number("stddev", 0.05), a.seed());
         }}},
       {"RandomUniform",
        {{"random_uniform", "uniform"},
         {"minval", "maxval", "seed"},
         [](const RuleArguments& a) {
           return RandomUniform(a.number("minval", -0.05), a.number("maxval", 0.05), a.seed());
         }}},
       {"TruncatedNormal",
        {{"truncated_normal"},
         {"mean", "stddev", "seed"},
         [](const RuleArguments& a) {
           return TruncatedNormal(a.number("mean", 0.0), a.number("stddev", 0.05), a.seed());
         }}},
       {"VarianceScaling",
        {{"variance_scaling"},
         {"scale", "mode", "distribution", "seed"},
         [](const RuleArguments& a) {
           return VarianceScaling(a.number("scale", 1.0), a.text("mode", "fan_in"),
                                  a.text("distribution", "truncated_normal"), a.seed());
         }}},
       {"GlorotUniform", seed_only("glorot_uniform", GlorotUniform)},
       {"GlorotNormal", seed_only("glorot_normal", GlorotNormal)},
       {"HeUniform", seed_only("he_uniform", HeUniform)},
       {"HeNormal", seed_only("he_normal", HeNormal)},
       {"LecunUniform", seed_only("lecun_uniform", LecunUniform)},
       {"LecunNormal", seed_only("lecun_normal", LecunNormal)},
       {"Orthogonal",
        {{"orthogonal"},
         {"gain", "seed"},
         [](const RuleArguments& a) { return Orthogonal(a.number("gain", 1.0), a.seed()); }}},
       {"Identity", {{"identity", "IdentityInitializer"}, {"gain"}, [](const RuleArguments& a) {
                       return Identity(a.number("gain", 1.0));
                     }}}});
  return all;
}

}  // namespace

Initializer::Initializer(const std::string& name) : Initializer(table().make(name)) {}

Initializer Initializer::from_config(const Config& config) { return table().make(config); }

namespace initializers {

Initializer Zeros() { return filled("Zeros", Config::object(), 0.0); }
Initializer Ones() { return filled("Ones", Config::object(), 1.0); }
Initializer Constant(double value) { return filled("Constant", Config::object({{"value", value}}), value); }

Initializer RandomNormal(double mean, double stddev, Seed seed) {
  return {"RandomNormal", Config::object({{"mean", mean}, {"stddev", stddev}, {"seed", seed_config(seed)}}),
          [=](const Shape& shape, Dtype dtype, const RandomKey& key) {
            return ops::random_normal(seeded(key, seed), shape, mean, stddev, dtype);
          }};
}

Initializer RandomUniform(double minval, double maxval, Seed seed) {
  return {"RandomUniform", Config::object({{"minval", minval}, {"maxval", maxval}, {"seed", seed_config(seed)}}),
          [=](const Shape& shape, Dtype dtype, const RandomKey& key) {
            return ops::random_uniform(seeded(key, seed), shape, minval, maxval, dtype);
          }};
}

Initializer TruncatedNormal(double mean, double stddev, Seed seed) {
  return {"TruncatedNormal", Config::object({{"mean", mean}, {"stddev", stddev}, {"seed", seed_config(seed)}}),
          [=](const Shape& shape, Dtype dtype, const RandomKey& key) {
            return truncated_normal(seeded(key, seed), shape, mean, stddev, dtype);
          }};
}

Initializer VarianceScaling(double scale, const std::string& mode, const std::string& distribution, Seed seed) {
  if (!(scale > 0.0)) throw ConfigError("`scale` must be positive float. Received: " + Config(scale).to_json());
  if (mode != "fan_in" && mode != "fan_out" && mode != "fan_avg") {
    throw ConfigError("Invalid `mode` argument: expected fan_in, fan_out or fan_avg, received " + mode);
  }
  const std::string wanted = distribution == "normal" ? "truncated_normal" : distribution;
  if (wanted != "truncated_normal" && wanted != "untruncated_normal" && wanted != "uniform") {
    throw ConfigError(
        "Invalid `distribution` argument: expected truncated_normal, untruncated_normal or uniform, received " +
        distribution);
  }
  return {"VarianceScaling",
          Config::object({{"scale", scale}, {"mode", mode}, {"distribution", wanted}, {"seed", seed_config(seed)}}),
          scaled_variance(scale, mode, wanted, seed)};
}

Initializer GlorotUniform(Seed seed) { return named_scaling("GlorotUniform", 1.0, "fan_avg", "uniform", seed); }
Initializer GlorotNormal(Seed seed) { return named_scaling("GlorotNormal", 1.0, "fan_avg", "truncated_normal", seed); }
Initializer HeUniform(Seed seed) { return named_scaling("HeUniform", 2.0, "fan_in", "uniform", seed); }
Initializer HeNormal(Seed seed) { return named_scaling("HeNormal", 2.0, "fan_in", "truncated_normal", seed); }
Initializer LecunUniform(Seed seed) { return named_scaling("LecunUniform", 1.0, "fan_in", "uniform", seed); }
Initializer LecunNormal(Seed seed) { return named_scaling("LecunNormal", 1.0, "fan_in", "truncated_normal", seed); }

Initializer Orthogonal(double gain, Seed seed) {
  return {"Orthogonal", Config::object({{"gain", gain}, {"seed", seed_config(seed)}}),
          [=](const Shape& shape, Dtype dtype, const RandomKey& key) {
            return random_orthogonal(seeded(key, seed), shape, gain, dtype);
          }};
}

Initializer Identity(double gain) {
  return {"Identity", Config::object({{"gain", gain}}), [=](const Shape& shape, Dtype dtype, const RandomKey&) {
            if (shape.rank() != 2) {
              throw ShapeError("Identity matrix initializer can only be used for 2D matrices. Received shape " +
                               shape.str());
            }
            const Tensor rows = ops::iota({shape[0], 1}, 0);
            const Tensor columns = ops::iota({1, shape[1]}, 1);
            return ops::cast(ops::equal(rows, columns), dtype) * gain;
          }};
}

}  // namespace initializers
}  // namespace strata
