// SPDX-License-Identifier: Apache-2.0
#include "layers/batch_normalization.h"

#include <cmath>

#include "core/base/error.h"
#include "layers/moments.h"
#include "layers/normalization_base.h"
#include "layers/registry.h"

namespace strata {
namespace {

using layers::BatchNormalizationOptions;
using layers::RenormClipping;

void check_clipping(const RenormClipping& clipping) {
  const auto text = [](double value) { return Config(value).to_json(); };
  if (clipping.rmax && clipping.rmin && *clipping.rmax < *clipping.rmin) {
    throw ConfigError("rmax should be greater than rmin in the `renorm_clipping` argument. Received: rmax=" +
                      text(*clipping.rmax) + ", rmin=" + text(*clipping.rmin) + ".");
  }
  if (clipping.dmax && *clipping.dmax < 0) {
    throw ConfigError(
        "dmax should be non-negative in the `renorm_clipping` argument. Received: dmax=" + text(*clipping.dmax) + ".");
  }
}

Config clipping_config(const RenormClipping& clipping) {
  Config config = Config::object();
  if (clipping.rmax) config.set("rmax", *clipping.rmax);
  if (clipping.rmin) config.set("rmin", *clipping.rmin);
  if (clipping.dmax) config.set("dmax", *clipping.dmax);
  return config;
}

RenormClipping clipping_from_config(const Config& config) {
  RenormClipping clipping;
  for (const auto& [key, value] : config.as_object()) {
    std::optional<double>* limit = key == "rmax"   ? &clipping.rmax
                                   : key == "rmin" ? &clipping.rmin
                                   : key == "dmax" ? &clipping.dmax
                                                   : nullptr;
    if (limit == nullptr) {
      throw ConfigError("Received invalid keys for `renorm_clipping` argument: " + config.to_json() +
                        ". Supported values: ['rmax', 'rmin', 'dmax'].");
    }
    if (!value.is_null()) *limit = value.as_double();
  }
  return clipping;
}

/// The square root of what `variance` gives.
Initializer stddev_initializer(const Initializer& variance) {
  return [variance](const Shape& shape, Dtype dtype, const RandomKey& key) {
    return ops::sqrt(variance(shape, dtype, key));
  };
}

class BatchNormalizationLayer final : public NormalizationBase {
 public:
  explicit BatchNormalizationLayer(const BatchNormalizationOptions& options)
      : NormalizationBase(normalization_arguments(options)), options_(options) {
    if (options_.renorm) check_clipping(options_.renorm_clipping);
    set_autocast(true);  // in contrast to the other normalisations
  }

  std::string class_name() const override { return "BatchNormalization"; }

  void build(const Shape& input) override {
    const Shape shape = Axes(options_.axis).sizes(input);
    build_gamma_and_beta(shape);
    const auto statistic = [&](const char* weight, const Initializer& initializer) {
      return add_weight(weight, shape, {.initializer = initializer, .trainable = false, .autocast = false});
    };
    moving_mean_ = statistic("moving_mean", options_.moving_mean_initializer);
    moving_variance_ = statistic("moving_variance", options_.moving_variance_initializer);
    if (options_.renorm) {
      const Initializer stddev = stddev_initializer(options_.moving_variance_initializer);
      moving_stddev_ = statistic("moving_stddev", stddev);
      renorm_mean_ = statistic("renorm_mean", options_.moving_mean_initializer);
      renorm_stddev_ = statistic("renorm_stddev", stddev);
    }
    set_input_spec({{.rank = input.rank(), .axes = {{options_.axis, shape[0]}}}});
  }

 private:
  Config own_config() const override {
    return Config::object({{"axis", options_.axis},
                           {"momentum", options_.momentum},
                           {"moving_mean_initializer", options_.moving_mean_initializer.config()},
                           {"moving_variance_initializer", options_.moving_variance_initializer.config()},
                           {"synchronized", options_.synchronized},
                           {"renorm", options_.renorm},
                           {"renorm_clipping", options_.renorm ? clipping_config(options_.renorm_clipping) : Config()},
                           {"renorm_momentum", options_.renorm_momentum}});
  }

  Tensor normalize(const Tensor& x, CallContext& context) const override {
    if (context.mask()) check_mask(context.mask().shape(), x.shape());
    const Shape kept = Axes(options_.axis).kept(x.shape());
    if (!context.training() || !trainable()) {
      const Tensor mean = ops::reshape(statistic(moving_mean_, context), kept);
      const Tensor variance = ops::reshape(statistic(moving_variance_, context), kept);
      return normalized(x - mean, variance, gamma(kept), beta(kept));
    }
    const std::vector<int> axes = other_axes(Axes(options_.axis).within(x.shape()), x.rank());
    const Tensor mask = context.mask() ? ops::expand_dims(context.mask(), -1) : Tensor();
    const Moments batch = moments(x, axes, {.mask = mask, .synchronized = options_.synchronized});
    if (options_.renorm) return renormalize(batch, kept, context);
    move(moving_mean_, batch.mean, options_.momentum, context);
    move(moving_variance_, batch.variance, options_.momentum, context);
    return normalized(batch.centered, batch.variance, gamma(kept), beta(kept));
  }

  static void check_mask(const Shape& mask, const Shape& input) {
    if (mask.rank() == input.rank() - 1) return;
    throw ShapeError("The mask provided should be one dimension less than the inputs. Received: mask.shape=" +
                     mask.str() + ", inputs.shape=" + input.str());
  }

  Tensor statistic(const Variable& variable, const CallContext& context) const {
    return ops::cast(context.value(variable), statistics_dtype());
  }

  static void set(const Variable& variable, const Tensor& value, CallContext& context) {
    context.update(variable, ops::cast(value, variable.spec().dtype), Combine::mean);
  }

  /// Moves a statistic towards the batch's and returns what it becomes.
  Tensor move(const Variable& variable, const Tensor& batch, double momentum, CallContext& context) const {
    Tensor moved = statistic(variable, context) * momentum + ops::reshape(batch, variable.shape()) * (1.0 - momentum);
    set(variable, moved, context);
    return moved;
  }

  /// normalized() with the correction r, d of Ioffe (2017): ((x - mean) / stddev r + d) gamma + beta.
  Tensor renormalize(const Moments& batch, const Shape& kept, CallContext& context) const {
    const RenormClipping& clip = options_.renorm_clipping;
    const Tensor stddev = ops::sqrt(batch.variance + options_.epsilon);
    const auto limit = [&](double value) { return scalar(value, stddev.dtype()); };
    const Tensor slow_mean = ops::reshape(statistic(renorm_mean_, context), kept);
    const Tensor slow_stddev =
        ops::maximum(ops::reshape(statistic(renorm_stddev_, context), kept), limit(std::sqrt(options_.epsilon)));
    Tensor r = stddev / slow_stddev, d = (batch.mean - slow_mean) / slow_stddev;
    if (clip.rmin) r = ops::maximum(r, limit(*clip.rmin));
    if (clip.rmax) r = ops::minimum(r, limit(*clip.rmax));
    if (clip.dmax) d = ops::minimum(ops::maximum(d, limit(-*clip.dmax)), limit(*clip.dmax));
    r = ops::stop_gradient(r);
    d = ops::stop_gradient(d);
    update_renorm(batch.mean, stddev, context);
    const Tensor own_gamma = gamma(kept), own_beta = beta(kept);
    const Tensor shift = own_gamma ? d * own_gamma : d;
    return normalized(batch.centered, batch.variance, own_gamma ? r * own_gamma : r,
                      own_beta ? shift + own_beta : shift);
  }

  /// The moving variance follows the moving standard deviation, which the paper averages.
  void update_renorm(const Tensor& mean, const Tensor& stddev, CallContext& context) const {
    move(renorm_mean_, mean, options_.renorm_momentum, context);
    move(renorm_stddev_, stddev, options_.renorm_momentum, context);
    move(moving_mean_, mean, options_.momentum, context);
    const Tensor moved = move(moving_stddev_, stddev, options_.momentum, context);
    set(moving_variance_, ops::relu(ops::square(moved) - options_.epsilon), context);
  }

  BatchNormalizationOptions options_;
  Variable moving_mean_, moving_variance_, moving_stddev_, renorm_mean_, renorm_stddev_;
};

/// TF 2 writes the axis of a built layer as a list of one.
int axis_from_config(const Config& config) {
  const std::vector<int> axes = Axes::from_config(config).given();
  if (axes.size() == 1) return axes[0];
  throw ConfigError("BatchNormalization: expected one axis, received axis=" + config.to_json());
}

LayerRef batch_normalization_from_config(const Config& config) {
  const LayerConfig arguments(
      "BatchNormalization", config,
      normalization_argument_names({"axis", "momentum", "moving_mean_initializer", "moving_variance_initializer",
                                    "synchronized", "renorm", "renorm_clipping", "renorm_momentum"}));
  auto options = normalization_options<BatchNormalizationOptions>(arguments);
  if (arguments.has("axis")) options.axis = axis_from_config(arguments.get("axis"));
  options.momentum = arguments.number("momentum", options.momentum);
  options.moving_mean_initializer = arguments.initializer("moving_mean_initializer", "zeros");
  options.moving_variance_initializer = arguments.initializer("moving_variance_initializer", "ones");
  options.synchronized = arguments.flag("synchronized", false);
  options.renorm = arguments.flag("renorm", false);
  if (arguments.has("renorm_clipping"))
    options.renorm_clipping = clipping_from_config(arguments.get("renorm_clipping"));
  options.renorm_momentum = arguments.number("renorm_momentum", options.renorm_momentum);
  return layers::BatchNormalization(options);
}

}  // namespace

layers::BatchNormalization::BatchNormalization(const BatchNormalizationOptions& options)
    : LayerRef(std::make_shared<BatchNormalizationLayer>(options)) {}

void register_batch_normalization(LayerRegistry& registry) {
  const auto example = [](std::string label, BatchNormalizationOptions options, const Shape& input) {
    options.name = "batch_normalization";
    options.gamma_initializer = "random_normal";
    options.moving_mean_initializer = "random_normal";
    const auto make = [=](Dtype dtype) {
      BatchNormalizationOptions own = options;
      own.dtype = dtype;
      return layers::BatchNormalization(own);
    };
    // No gradient flows through the correction of renorm.
    return LayerExample{std::move(label), make, {input}, !options.renorm, !options.synchronized};
  };
  registry.add({"BatchNormalization",
                batch_normalization_from_config,
                {example("matrix", {}, {5, 3}), example("channels first", {.axis = 1, .scale = false}, {2, 3, 4, 2}),
                 example("synchronized", {.momentum = 0.5, .synchronized = true}, {4, 2, 3}),
                 example("renorm", {.renorm = true, .renorm_clipping = {.rmax = 1.5, .dmax = 0.5}}, {4, 3})}});
}

}  // namespace strata
