// SPDX-License-Identifier: Apache-2.0
#include "layers/group_normalization.h"

#include "core/base/error.h"
#include "layers/moments.h"
#include "layers/normalization_base.h"
#include "layers/registry.h"

namespace strata {
namespace {

class GroupNormalizationLayer final : public NormalizationBase {
 public:
  explicit GroupNormalizationLayer(const layers::GroupNormalizationOptions& options)
      : NormalizationBase(normalization_arguments(options)), groups_(options.groups), axis_(options.axis) {
    if (groups_ > 0 || groups_ == -1) return;
    throw ConfigError(
        "Received an invalid value for argument `groups`, expected a positive integer (or `-1` for instance "
        "normalization). Received: groups=" +
        std::to_string(groups_));
  }

  std::string class_name() const override { return "GroupNormalization"; }

  void build(const Shape& input) override {
    const Dim channels = input[channel_axis(input)];
    if (channels == None) {
      throw ShapeError("Axis " + std::to_string(axis_) +
                       " of input tensor should have a defined dimension but the layer received an input with shape " +
                       input.str() + ".");
    }
    check_groups(channels);
    build_gamma_and_beta({channels});
    set_input_spec({{.rank = input.rank(), .axes = {{axis_, channels}}}});
  }

 private:
  Config own_config() const override { return Config::object({{"groups", groups_}, {"axis", axis_}}); }

  int channel_axis(const Shape& input) const {
    const int axis = Axes(axis_).within(input)[0];
    if (axis == 0) {
      throw ShapeError("Layer " + name() + ": expected an axis of channels, received axis=" + std::to_string(axis_) +
                       ", which is the batch, for an input of shape " + input.str());
    }
    return axis;
  }

  void check_groups(Dim channels) const {
    const std::string number = "Number of groups (" + std::to_string(groups_) + ") ";
    const std::string of_channels = "the number of channels (" + std::to_string(channels) + ").";
    if (channels < groups_) throw ShapeError(number + "cannot be more than " + of_channels);
    if (groups_ > 0 && channels % groups_ != 0) throw ShapeError(number + "must be a multiple of " + of_channels);
  }

  /// `shape` with the channels cut into (groups, channels of a group).
  Shape grouped(const Shape& shape, int axis, Dim channels) const {
    const Dim groups = groups_ == -1 ? channels : groups_;
    return shape.slice(0, axis).concat({groups, channels / groups}).concat(shape.slice(axis + 1, shape.rank()));
  }

  Tensor normalize(const Tensor& x, CallContext&) const override {
    const int axis = channel_axis(x.shape());
    const Dim channels = x.shape()[axis];
    const Tensor groups = ops::reshape(x, grouped(x.shape(), axis, channels));
    const Moments over = moments(groups, other_axes({0, axis}, groups.rank()));
    const Shape kept = grouped(Axes(axis).kept(x.shape()), axis, channels);
    return ops::reshape(normalized(over.centered, over.variance, gamma(kept), beta(kept)), x.shape());
  }

  Dim groups_;
  int axis_;
};

LayerRef group_normalization_from_config(const Config& config) {
  const LayerConfig arguments("GroupNormalization", config, normalization_argument_names({"groups", "axis"}));
  auto options = normalization_options<layers::GroupNormalizationOptions>(arguments);
  options.groups = arguments.integer("groups", options.groups);
  options.axis = static_cast<int>(arguments.integer("axis", options.axis));
  return layers::GroupNormalization(options);
}

}  // namespace

layers::GroupNormalization::GroupNormalization(const GroupNormalizationOptions& options)
    : LayerRef(std::make_shared<GroupNormalizationLayer>(options)) {}

void register_group_normalization(LayerRegistry& registry) {
  const auto example = [](std::string label, layers::GroupNormalizationOptions options, const Shape& input) {
    options.name = "group_normalization";
    options.gamma_initializer = "random_normal";
    const auto make = [=](Dtype dtype) {
      layers::GroupNormalizationOptions own = options;
      own.dtype = dtype;
      return layers::GroupNormalization(own);
    };
    return LayerExample{std::move(label), make, {input}};
  };
  registry.add({"GroupNormalization",
                group_normalization_from_config,
                {example("channels last", {.groups = 2}, {2, 3, 6}),
                 example("channels first", {.groups = 3, .axis = 1, .epsilon = 0.1}, {2, 6, 3, 2}),
                 example("instances", {.groups = -1}, {2, 5, 3})}});
}

}  // namespace strata
