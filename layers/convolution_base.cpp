// SPDX-License-Identifier: Apache-2.0
#include "layers/convolution_base.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/base/error.h"

namespace strata {
namespace {

/// Keras' order of arguments in a config.
constexpr std::array<std::string_view, 24> kOrder = {"depth_multiplier",
                                                     "filters",
                                                     "kernel_size",
                                                     "strides",
                                                     "padding",
                                                     "output_padding",
                                                     "data_format",
                                                     "dilation_rate",
                                                     "groups",
                                                     "activation",
                                                     "use_bias",
                                                     "kernel_initializer",
                                                     "depthwise_initializer",
                                                     "pointwise_initializer",
                                                     "bias_initializer",
                                                     "kernel_regularizer",
                                                     "depthwise_regularizer",
                                                     "pointwise_regularizer",
                                                     "bias_regularizer",
                                                     "activity_regularizer",
                                                     "kernel_constraint",
                                                     "depthwise_constraint",
                                                     "pointwise_constraint",
                                                     "bias_constraint"};

}  // namespace

void check_filters(Dim filters) {
  if (filters > 0) return;
  throw ConfigError("Invalid value for argument `filters`. Expected a strictly positive value. Received filters=" +
                    std::to_string(filters) + ".");
}

void check_depth_multiplier(Dim depth_multiplier) {
  if (depth_multiplier > 0) return;
  throw ConfigError(
      "Invalid value for argument `depth_multiplier`. Expected a strictly positive value. Received depth_multiplier=" +
      std::to_string(depth_multiplier) + ".");
}

void expect_one_group(const LayerConfig& arguments) {
  if (arguments.integer("groups", 1) == 1) return;
  throw ConfigError("expected groups=1 for a layer without groups, received groups=" +
                    arguments.get("groups").to_json());
}

ConvolutionBase::ConvolutionBase(const std::string& kind, ConvolutionArguments arguments)
    : Layer(arguments.layer), class_name_(kind), arguments_(std::move(arguments)) {
  class_name_.replace(class_name_.find("{}"), 2, std::to_string(arguments_.rank));
  if (!is_floating(dtype())) {
    throw DtypeError("Unable to build `" + class_name_ + "` layer with non-floating point dtype <dtype: '" +
                     std::string(to_string(dtype())) + "'>");
  }
  set_input_spec({{.min_rank = arguments_.rank + 2}});
}

void ConvolutionBase::refuse_strides_with_dilation() const {
  const auto largest = [](const std::vector<Dim>& values) { return *std::max_element(values.begin(), values.end()); };
  if (largest(arguments_.strides) == 1 || largest(arguments_.dilation_rate) == 1) return;
  throw ConfigError("`strides > 1` not supported in conjunction with `dilation_rate > 1`. Received: strides=" +
                    tuple_text(arguments_.strides) + " and dilation_rate=" + tuple_text(arguments_.dilation_rate));
}

void ConvolutionBase::build(const Shape& input) {
  check_rank(input);
  const Dim channels = channels_of(input);
  if (channels == None) {
    throw ShapeError("The channel dimension of the inputs should be defined. Found `None`. Received input shape: " +
                     input.str() + layer_suffix(name()));
  }
  check_input(input);
  const int axis = arguments_.data_format.channels_first() ? 1 : -1;
  set_input_spec({{.min_rank = arguments_.rank + 2, .axes = {{axis, channels}}}});
  build_kernels(channels);
  if (arguments_.use_bias) bias_ = add_weight("bias", {filters(channels)}, arguments_.bias);
}

// The activation comes after the axes are back in the caller's order, since softmax takes the last one.
Tensor ConvolutionBase::call(const Tensor& input, CallContext&) {
  check_input(input.shape());
  Tensor y = product(arguments_.data_format.to_channels_last(input));
  if (bias_) y = y + bias_;
  return arguments_.activation(arguments_.data_format.from_channels_last(y));
}

Window ConvolutionBase::window(const Tensor& x) const {
  const std::vector<Dim> spatial(x.shape().begin() + 1, x.shape().end() - 1);
  return padded_window(arguments_.kernel_size, arguments_.strides, arguments_.dilation_rate, arguments_.padding,
                       spatial);
}

Shape ConvolutionBase::kernel_shape(Dim before_last, Dim last) const {
  return Shape(arguments_.kernel_size).concat({before_last, last});
}

void ConvolutionBase::check_rank(const Shape& input) const {
  if (input.rank() == arguments_.rank + 2) return;
  const Dim channels = channels_of(input);
  throw ShapeError("Kernel shape must have the same length as input, but received kernel of shape " +
                   kernel_shape(channels, filters(channels)).str() + " and input of shape " + input.str() + "." +
                   layer_suffix(name()));
}

void ConvolutionBase::check_input(const Shape& input) const {
  check_rank(input);
  const std::vector<Dim> spatial = arguments_.data_format.spatial(input);
  const Window over =
      padded_window(arguments_.kernel_size, arguments_.strides, arguments_.dilation_rate, arguments_.padding, spatial);
  if (has_positions(over, spatial)) return;
  const Dim channels = channels_of(input);
  throw ShapeError("Computed output size would be zero or negative. Received `inputs shape=" + input.str() +
                   "`, `kernel shape=" + kernel_shape(channels, filters(channels)).str() + "`, `dilation_rate=" +
                   array_text(arguments_.dilation_rate) + "`, `strides=" + tuple_text(arguments_.strides) +
                   "`, `padding=" + arguments_.padding + "`." + layer_suffix(name()));
}

Config ConvolutionBase::config() const {
  Config all = own_config();
  all.set("kernel_size", tuple_config(arguments_.kernel_size));
  all.set("strides", tuple_config(arguments_.strides));
  all.set("padding", arguments_.padding);
  all.set("data_format", arguments_.data_format.name());
  all.set("dilation_rate", tuple_config(arguments_.dilation_rate));
  all.set("activation", arguments_.activation.config());
  all.set("use_bias", arguments_.use_bias);
  all.set("activity_regularizer", arguments_.layer.activity_regularizer.config());
  set_weight_config(all, "bias", arguments_.bias);
  Config::Object members = all.as_object();
  const auto place = [](const auto& member) { return std::find(kOrder.begin(), kOrder.end(), member.first); };
  std::sort(members.begin(), members.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
  return Config::object(std::move(members));
}

std::vector<std::string> convolution_argument_names(const std::vector<std::string>& weights,
                                                    std::vector<std::string> own) {
  own.insert(own.end(), {"kernel_size", "strides", "padding", "data_format", "dilation_rate", "activation", "use_bias",
                         "bias_initializer", "bias_regularizer", "activity_regularizer", "bias_constraint"});
  for (const std::string& weight : weights) {
    for (const char* rule : {"_initializer", "_regularizer", "_constraint"}) own.push_back(weight + rule);
  }
  return own;
}

}  // namespace strata
