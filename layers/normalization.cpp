// SPDX-License-Identifier: Apache-2.0
#include "layers/normalization.h"

#include "core/base/error.h"
#include "layers/layer_config.h"
#include "layers/moments.h"
#include "layers/registry.h"
#include "layers/sizes.h"

namespace strata {
namespace {

constexpr double kKerasEpsilon = 1e-7;

class NormalizationLayer final : public Layer {
 public:
  explicit NormalizationLayer(const layers::NormalizationOptions& options)
      : Layer({options.name, options.trainable, options.dtype}), options_(options) {
    check_given();
    set_supports_masking();
  }

  std::string class_name() const override { return "Normalization"; }
  Config config() const override {
    return Config::object({{"axis", Axes(options_.axis.given()).config()},  // Keras writes a list in any case
                           {"invert", options_.invert},
                           {"mean", options_.mean.config()},
                           {"variance", options_.variance.config()}});
  }

  void build(const Shape& input) override {
    check_axes(input);
    built_for_ = input;
    if (!options_.mean.empty()) {
      mean_ = aligned(options_.mean, input);
      variance_ = aligned(options_.variance, input);
      return;
    }
    const auto statistic = [&](const char* weight, const Shape& shape, const char* initializer, Dtype dtype) {
      return add_weight(weight, shape, {.initializer = initializer, .trainable = false, .dtype = dtype});
    };
    adapted_mean_ = statistic("mean", sizes(input), "zeros", variable_dtype());
    adapted_variance_ = statistic("variance", sizes(input), "ones", variable_dtype());
    statistic("count", {}, "zeros", Dtype::int64);
  }

  Tensor call(const Tensor& input, CallContext&) override {
    const Tensor x = ops::cast(input, compute_dtype());
    const auto statistic = [&](const Tensor& given, const Variable& adapted) {
      return ops::cast(given ? given : ops::reshape(adapted, kept(input.shape())), compute_dtype());
    };
    const Tensor mean = statistic(mean_, adapted_mean_);
    const Tensor stddev =
        ops::maximum(ops::sqrt(statistic(variance_, adapted_variance_)), scalar(kKerasEpsilon, compute_dtype()));
    return options_.invert ? mean + x * stddev : (x - mean) / stddev;
  }

  void adapt(const Tensor& data) {
    if (!options_.mean.empty()) {
      throw ConfigError("Normalization " + name() + ": adapt() has nothing to set, as the layer was given a mean");
    }
    ensure_built({data.spec()});
    for (const int axis : options_.axis.within(data.shape())) {
      if (data.rank() == built_for_.rank() && data.shape()[axis] == built_for_[axis]) continue;
      throw ShapeError(
          "The layer was built with input_shape=" + built_for_.str() +
          ", but adapt() is being called with data with an incompatible shape, data.shape=" + data.shape().str());
    }
    const Tensor x = ops::cast(data, Dtype::float64);
    const std::vector<int> reduced = other_axes(options_.axis.within(data.shape()), data.rank());
    const Moments over = reduced.empty() ? Moments{x, ops::zeros_like(x), {}} : moments(x, reduced);
    set(adapted_mean_, over.mean);
    set(adapted_variance_, over.variance);
  }

 private:
  void check_given() const {
    const Numbers &mean = options_.mean, &variance = options_.variance;
    if (mean.empty() != variance.empty()) {
      throw ConfigError("When setting values directly, both `mean` and `variance` must be set. Received: mean=" +
                        mean.text() + " and variance=" + variance.text());
    }
    if (mean.shape() != variance.shape()) {
      throw ConfigError(
          "When setting values directly, `mean` and `variance` must have the same shape. Received: mean shape " +
          mean.shape().str() + " and variance shape " + variance.shape().str());
    }
    const std::size_t axes = options_.axis.given().size();
    if (static_cast<std::size_t>(mean.shape().rank()) > axes) {
      throw ConfigError("The rank of `mean` must be less than or equal to the number of axes (" + std::to_string(axes) +
                        "). Received: mean shape " + mean.shape().str() + " for axis " + axis_text());
    }
  }

  void check_axes(const Shape& input) const {
    for (const int axis : options_.axis.given()) {
      if (axis >= -input.rank() && axis < input.rank()) continue;
      throw ShapeError("All `axis` values must be in the range [-ndim, ndim). Received inputs with ndim=" +
                       std::to_string(input.rank()) + ", while axis=" + axis_text());
    }
    for (const int axis : options_.axis.within(input)) {
      if (input[axis] != None) continue;
      throw ShapeError("All `axis` values to be kept must have a known shape. Received axis=" + axis_text() +
                       ", inputs.shape=" + input.str() + ", with unknown axis at index " + std::to_string(axis));
    }
  }

  std::string axis_text() const { return tuple_text({options_.axis.given().begin(), options_.axis.given().end()}); }

  /// In the order of the axes, in contrast to Axes::sizes.
  Shape sizes(const Shape& input) const { return Axes(options_.axis.within(input)).sizes(input); }
  Shape kept(const Shape& input) const { return options_.axis.kept(input); }

  /// Given numbers, whose last axis belongs to the last of the layer's, for inputs of this shape.
  Tensor aligned(const Numbers& numbers, const Shape& input) const {
    const std::vector<int> axes = options_.axis.within(input);
    Shape shape(std::vector<Dim>(static_cast<std::size_t>(input.rank()), 1));
    const int rank = numbers.shape().rank(), skipped = static_cast<int>(axes.size()) - rank;
    for (int i = 0; i < rank; ++i) shape = shape.with(axes[static_cast<std::size_t>(skipped + i)], numbers.shape()[i]);
    return ops::broadcast_to(ops::reshape(numbers.tensor(variable_dtype()), shape), kept(input));
  }

  static void set(const Variable& variable, const Tensor& value) {
    variable.assign(ops::cast(ops::reshape(value, variable.shape()), variable.spec().dtype));
  }

  layers::NormalizationOptions options_;
  Shape built_for_;
  Tensor mean_, variance_;  // the given ones
  Variable adapted_mean_, adapted_variance_;
};

LayerRef normalization_from_config(const Config& config) {
  const LayerConfig arguments("Normalization", config, {"axis", "mean", "variance", "invert"});
  const LayerOptions common = arguments.options();
  layers::NormalizationOptions options{.mean = Numbers::from_config(arguments.get("mean")),
                                       .variance = Numbers::from_config(arguments.get("variance")),
                                       .invert = arguments.flag("invert", false),
                                       .name = common.name,
                                       .trainable = common.trainable,
                                       .dtype = common.dtype};
  if (config.contains("axis")) {
    options.axis = config.at("axis").is_null() ? Axes{} : Axes::from_config(config.at("axis"));
  }
  return layers::Normalization(options);
}

}  // namespace

layers::Normalization::Normalization(const NormalizationOptions& options)
    : LayerRef(std::make_shared<NormalizationLayer>(options)) {}

void layers::Normalization::adapt(const Tensor& data) const { dynamic_cast<NormalizationLayer&>(layer()).adapt(data); }

void register_normalization(LayerRegistry& registry) {
  const auto example = [](std::string label, layers::NormalizationOptions options, const Shape& input) {
    options.name = "normalization";
    const auto make = [=](Dtype dtype) {
      layers::NormalizationOptions own = options;
      own.dtype = dtype;
      return layers::Normalization(own);
    };
    return LayerExample{std::move(label), make, {input}};
  };
  registry.add({"Normalization",
                normalization_from_config,
                {example("adapted", {}, {3, 4}),
                 example("given", {.axis = {1, -1}, .mean = {1, 2, 3}, .variance = {4, 0.5, 2}}, {2, 2, 4, 3}),
                 example("inverted", {.axis = Axes{}, .mean = 2, .variance = 9, .invert = true}, {2, 5})}});
}

}  // namespace strata
