// SPDX-License-Identifier: Apache-2.0
#include "core/model/initializers.h"

#include <cmath>

#include "core/base/error.h"
#include "core/model/fourier_kernel.h"
#include "core/model/named_rules.h"
#include "core/model/orthogonal.h"

namespace strata {
namespace {

using initializers::FanAxes;
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

double product(const Shape& shape, const std::vector<int>& axes) {
  double result = 1.0;
  for (const int axis : axes)
    result *= static_cast<double>(shape[normalize_axis(axis, shape.rank(), "VarianceScaling")]);
  return result;
}

/// What VarianceScaling calls n.
double fan(const Shape& shape, const std::string& mode, const FanAxes& axes) {
  const int rank = shape.rank();
  double receptive = 1.0;
  for (int axis = 0; axis < rank - 2; ++axis) receptive *= static_cast<double>(shape[axis]);
  double out = rank == 0 ? 1.0 : receptive * static_cast<double>(shape.back());
  double in = rank < 2 ? out : receptive * static_cast<double>(shape[rank - 2]);
  if (!axes.input.empty() && !axes.output.empty()) {
    in = product(shape, axes.input);
    out = product(shape, axes.output);
  }
  return mode == "fan_in" ? in : mode == "fan_out" ? out : (in + out) / 2.0;
}

/// The standard deviation of a normal distribution cut at two of its own standard deviations.
constexpr double kTruncatedStddev = 0.87962566103423978;

InitialValue scaled_variance(double scale, const std::string& mode, const std::string& distribution, Seed seed,
                             const FanAxes& axes) {
  return [=](const Shape& shape, Dtype dtype, const RandomKey& key) {
    const double variance = scale / std::max(1.0, fan(shape, mode, axes));
    const RandomKey from = seeded(key, seed);
    if (distribution == "uniform") {
      const double limit = std::sqrt(3.0 * variance);
      return ops::random_uniform(from, shape, -limit, limit, dtype);
    }
    if (distribution == "untruncated_normal") return ops::random_normal(from, shape, 0.0, std::sqrt(variance), dtype);
    return truncated_normal(from, shape, 0.0, std::sqrt(variance) / kTruncatedStddev, dtype);
  };
}

/// Versions of Keras before 3.15 do not know the axes, so they are written only where there are some.
Config with_axes(Config config, const FanAxes& axes) {
  const auto list = [](const std::vector<int>& values) { return Config::List(values.begin(), values.end()); };
  if (!axes.input.empty()) config.set("input_axes", list(axes.input));
  if (!axes.output.empty()) config.set("output_axes", list(axes.output));
  return config;
}

/// A VarianceScaling under a name of its own, described by its seed and axes alone.
Initializer named_scaling(const char* name, double scale, const char* mode, const char* distribution, Seed seed,
                          const FanAxes& axes) {
  return {name, with_axes(Config::object({{"seed", seed_config(seed)}}), axes),
          scaled_variance(scale, mode, distribution, seed, axes)};
}

Initializer filled(const char* name, Config config, double value) {
  return {name, std::move(config),
          [value](const Shape& shape, Dtype dtype, const RandomKey&) { return ops::full(shape, value, dtype); }};
}

FanAxes fan_axes(const RuleArguments& a) { return {a.axes("input_axes", {}), a.axes("output_axes", {})}; }

RuleTable<Initializer>::Entry seed_and_axes(const std::string& alias, Initializer (*make)(Seed, const FanAxes&)) {
  return {{alias}, {"seed", "input_axes", "output_axes"}, [make](const RuleArguments& a) {
            return make(a.seed(), fan_axes(a));
          }};
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
         {"scale", "mode", "distribution", "seed", "input_axes", "output_axes"},
         [](const RuleArguments& a) {
           return VarianceScaling(a.number("scale", 1.0), a.text("mode", "fan_in"),
                                  a.text("distribution", "truncated_normal"), a.seed(), fan_axes(a));
         }}},
       {"GlorotUniform", seed_and_axes("glorot_uniform", GlorotUniform)},
       {"GlorotNormal", seed_and_axes("glorot_normal", GlorotNormal)},
       {"HeUniform", seed_and_axes("he_uniform", HeUniform)},
       {"HeNormal", seed_and_axes("he_normal", HeNormal)},
       {"LecunUniform", seed_and_axes("lecun_uniform", LecunUniform)},
       {"LecunNormal", seed_and_axes("lecun_normal", LecunNormal)},
       {"Orthogonal",
        {{"orthogonal", "OrthogonalInitializer"},
         {"gain", "seed"},
         [](const RuleArguments& a) { return Orthogonal(a.number("gain", 1.0), a.seed()); }}},
       {"Identity",
        {{"identity", "IdentityInitializer"},
         {"gain"},
         [](const RuleArguments& a) { return Identity(a.number("gain", 1.0)); }}},
       {"STFT", {{"stft", "STFTInitializer"}, {"side", "window", "scaling", "periodic"}, [](const RuleArguments& a) {
                   return STFT(a.text("side", "real"), a.given("window", "hann"),
                               a.is_none("scaling") ? "" : a.text("scaling", "density"), a.flag("periodic", false));
                 }}}});
  return all;
}

}  // namespace

Initializer::Initializer(const std::string& name) : Initializer(make_rule<InitialValue>(table(), name)) {}

Initializer Initializer::from_config(const Config& config) { return make_rule<InitialValue>(table(), config); }

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

Initializer VarianceScaling(double scale, const std::string& mode, const std::string& distribution, Seed seed,
                            const FanAxes& axes) {
  if (!(scale > 0.0)) {
    throw ConfigError("Argument `scale` must be positive float. Received: scale=" + Config(scale).to_json());
  }
  if (mode != "fan_in" && mode != "fan_out" && mode != "fan_avg") {
    throw ConfigError("Invalid `mode` argument: expected fan_in, fan_out or fan_avg, received " + mode);
  }
  const std::string wanted = distribution == "normal" ? "truncated_normal" : distribution;
  if (wanted != "truncated_normal" && wanted != "untruncated_normal" && wanted != "uniform") {
    throw ConfigError(
        "Invalid `distribution` argument: expected truncated_normal, untruncated_normal or uniform, received " +
        distribution);
  }
  Config config =
      Config::object({{"scale", scale}, {"mode", mode}, {"distribution", wanted}, {"seed", seed_config(seed)}});
  return {"VarianceScaling", with_axes(std::move(config), axes), scaled_variance(scale, mode, wanted, seed, axes)};
}

Initializer GlorotUniform(Seed seed, const FanAxes& axes) {
  return named_scaling("GlorotUniform", 1.0, "fan_avg", "uniform", seed, axes);
}
Initializer GlorotNormal(Seed seed, const FanAxes& axes) {
  return named_scaling("GlorotNormal", 1.0, "fan_avg", "truncated_normal", seed, axes);
}
Initializer HeUniform(Seed seed, const FanAxes& axes) {
  return named_scaling("HeUniform", 2.0, "fan_in", "uniform", seed, axes);
}
Initializer HeNormal(Seed seed, const FanAxes& axes) {
  return named_scaling("HeNormal", 2.0, "fan_in", "truncated_normal", seed, axes);
}
Initializer LecunUniform(Seed seed, const FanAxes& axes) {
  return named_scaling("LecunUniform", 1.0, "fan_in", "uniform", seed, axes);
}
Initializer LecunNormal(Seed seed, const FanAxes& axes) {
  return named_scaling("LecunNormal", 1.0, "fan_in", "truncated_normal", seed, axes);
}

Initializer Orthogonal(double gain, Seed seed) {
  return {"Orthogonal", Config::object({{"gain", gain}, {"seed", seed_config(seed)}}),
          [=](const Shape& shape, Dtype dtype, const RandomKey& key) {
            return random_orthogonal(seeded(key, seed), shape, gain, dtype);
          }};
}

Initializer Identity(double gain) {
  return {"Identity", Config::object({{"gain", gain}}), [=](const Shape& shape, Dtype dtype, const RandomKey&) {
            if (shape.rank() != 2) {
              throw ShapeError("Identity matrix initializer can only be used for 2D matrices. Received: shape=" +
                               shape.str() + " of rank " + std::to_string(shape.rank()) + ".");
            }
            const Tensor rows = ops::iota({shape[0], 1}, 0);
            const Tensor columns = ops::iota({1, shape[1]}, 1);
            return ops::cast(ops::equal(rows, columns), dtype) * gain;
          }};
}

Initializer STFT(const std::string& side, const Config& window, const std::string& scaling, bool periodic) {
  if (side != "real" && side != "imag") throw ConfigError("side should be 'real' or 'imag', not " + side);
  if (!scaling.empty() && scaling != "density" && scaling != "spectrum") {
    throw ConfigError("Scaling is invalid, it must be `None`, 'density' or 'spectrum'. Received scaling=" + scaling);
  }
  const FourierKernel kernel{.sine = side == "imag", .window = window, .scaling = scaling, .periodic = periodic};
  kernel.check();
  return {"STFT",
          Config::object({{"side", side},
                          {"window", window},
                          {"scaling", scaling.empty() ? Config() : Config(scaling)},
                          {"periodic", periodic}}),
          [kernel](const Shape& shape, Dtype dtype, const RandomKey&) { return kernel.values(shape, dtype); }};
}

}  // namespace initializers
}  // namespace strata
