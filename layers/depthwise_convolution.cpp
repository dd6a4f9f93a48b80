// SPDX-License-Identifier: Apache-2.0
#include "layers/depthwise_convolution.h"

#include "core/ops/convolution.h"
#include "layers/convolution_base.h"

namespace strata {
namespace {

class DepthwiseConvolutionLayer final : public ConvolutionBase {
 public:
  DepthwiseConvolutionLayer(int rank, const Sizes& kernel_size, const layers::DepthwiseConvOptions& options)
      : ConvolutionBase("DepthwiseConv{}D", convolution_arguments(rank, kernel_size, options)),
        multiplier_(options.depth_multiplier),
        kernel_options_{.initializer = options.depthwise_initializer,
                        .regularizer = options.depthwise_regularizer,
                        .constraint = options.depthwise_constraint} {
    check_depth_multiplier(multiplier_);
  }

 private:
  Dim filters(Dim channels) const override { return channels == None ? None : channels * multiplier_; }

  void build_kernels(Dim channels) override {
    kernel_ = add_weight("kernel", kernel_shape(channels, multiplier_), kernel_options_);
  }

  Tensor product(const Tensor& x) const override { return depthwise_convolution(x, kernel_, window(x)); }

  Config own_config() const override {
    Config config = Config::object({{"depth_multiplier", multiplier_}});
    set_weight_config(config, "depthwise", kernel_options_);
    return config;
  }

  Dim multiplier_;
  WeightOptions kernel_options_;
  Variable kernel_;
};

LayerRef from_config(int rank, const Config& config) {
  const LayerConfig arguments("DepthwiseConv" + std::to_string(rank) + "D", config,
                              convolution_argument_names({"depthwise"}, {"depth_multiplier", "groups"}));
  expect_one_group(arguments);
  auto options = convolution_options<layers::DepthwiseConvOptions>(arguments);
  options.depth_multiplier = arguments.integer("depth_multiplier", 1);
  options.depthwise_initializer = arguments.initializer("depthwise_initializer", "glorot_uniform");
  options.depthwise_regularizer = arguments.regularizer("depthwise_regularizer");
  options.depthwise_constraint = arguments.constraint("depthwise_constraint");
  return make_depthwise_convolution(rank, Sizes::from_config(arguments.get("kernel_size")), options);
}

}  // namespace

Tensor depthwise_convolution(const Tensor& x, const Tensor& kernel, const Window& window) {
  const Shape& shape = kernel.shape();
  const Dim channels = shape[shape.rank() - 2];
  const Shape grouped = shape.slice(0, shape.rank() - 2).concat({1, channels * shape.back()});
  return ops::convolution(x, ops::reshape(kernel, grouped), window, channels);
}

LayerRef make_depthwise_convolution(int rank, const Sizes& kernel_size, const layers::DepthwiseConvOptions& options) {
  return LayerRef(std::make_shared<DepthwiseConvolutionLayer>(rank, kernel_size, options));
}

LayerEntry depthwise_convolution_entry(int rank) {
  const Shape sample = Shape{5, 4}.slice(0, rank);
  const Shape last = Shape{2}.concat(sample).concat({3}), first = Shape{2, 3}.concat(sample);
  const auto example = [&](std::string label, const layers::DepthwiseConvOptions& options, const Shape& x) {
    return layer_example(std::move(label), options, x, [=](const layers::DepthwiseConvOptions& own) {
      return make_depthwise_convolution(rank, 2, own);
    });
  };
  return {"DepthwiseConv" + std::to_string(rank) + "D",
          [rank](const Config& config) { return from_config(rank, config); },
          {example("valid", {}, last),
           example("two for each channel", {.strides = 2, .padding = "same", .depth_multiplier = 2}, last),
           example("dilated, no bias", {.dilation_rate = 2, .activation = "tanh", .use_bias = false}, last),
           example("strided and dilated", {.strides = 2, .padding = "same", .dilation_rate = 2}, last),
           example("channels first", {.data_format = "channels_first", .bias_initializer = "ones"}, first)}};
}

}  // namespace strata
