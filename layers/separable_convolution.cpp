// SPDX-License-Identifier: Apache-2.0
#include "layers/separable_convolution.h"

#include "core/ops/convolution.h"
#include "layers/convolution_base.h"
#include "layers/depthwise_convolution.h"

namespace strata {
namespace {

class SeparableConvolutionLayer final : public ConvolutionBase {
 public:
  SeparableConvolutionLayer(int rank, Dim filters, const Sizes& kernel_size,
                            const layers::SeparableConvOptions& options)
      : ConvolutionBase("SeparableConv{}D", convolution_arguments(rank, kernel_size, options)),
        filters_(filters),
        multiplier_(options.depth_multiplier),
        depthwise_options_{.initializer = options.depthwise_initializer,
                           .regularizer = options.depthwise_regularizer,
                           .constraint = options.depthwise_constraint},
        pointwise_options_{.initializer = options.pointwise_initializer,
                           .regularizer = options.pointwise_regularizer,
                           .constraint = options.pointwise_constraint} {
    check_depth_multiplier(multiplier_);
    check_filters(filters);
  }

 private:
  Dim filters(Dim) const override { return filters_; }

  void build_kernels(Dim channels) override {
    const Shape single(std::vector<Dim>(arguments().kernel_size.size(), 1));
    depthwise_ = add_weight("depthwise_kernel", kernel_shape(channels, multiplier_), depthwise_options_);
    pointwise_ = add_weight("pointwise_kernel", single.concat({channels * multiplier_, filters_}), pointwise_options_);
  }

  Tensor product(const Tensor& x) const override {
    const Tensor between = depthwise_convolution(x, depthwise_, window(x));
    return ops::convolution(between, pointwise_, Window(arguments().kernel_size.size()));
  }

  Config own_config() const override {
    Config config = Config::object({{"depth_multiplier", multiplier_}, {"filters", filters_}});
    set_weight_config(config, "depthwise", depthwise_options_);
    set_weight_config(config, "pointwise", pointwise_options_);
    return config;
  }

  Dim filters_;
  Dim multiplier_;
  WeightOptions depthwise_options_, pointwise_options_;
  Variable depthwise_, pointwise_;
};

// TF 2 also writes the initializer of a kernel that the layer does not have.
LayerRef from_config(int rank, const Config& config) {
  const LayerConfig arguments("SeparableConv" + std::to_string(rank) + "D", config,
                              convolution_argument_names({"depthwise", "pointwise"}, {"filters", "depth_multiplier",
                                                                                      "groups", "kernel_initializer"}));
  expect_one_group(arguments);
  auto options = convolution_options<layers::SeparableConvOptions>(arguments);
  options.depth_multiplier = arguments.integer("depth_multiplier", 1);
  options.depthwise_initializer = arguments.initializer("depthwise_initializer", "glorot_uniform");
  options.depthwise_regularizer = arguments.regularizer("depthwise_regularizer");
  options.depthwise_constraint = arguments.constraint("depthwise_constraint");
  options.pointwise_initializer = arguments.initializer("pointwise_initializer", "glorot_uniform");
  options.pointwise_regularizer = arguments.regularizer("pointwise_regularizer");
  options.pointwise_constraint = arguments.constraint("pointwise_constraint");
  return make_separable_convolution(rank, arguments.integer("filters"),
                                    Sizes::from_config(arguments.get("kernel_size")), options);
}

}  // namespace

LayerRef make_separable_convolution(int rank, Dim filters, const Sizes& kernel_size,
                                    const layers::SeparableConvOptions& options) {
  return LayerRef(std::make_shared<SeparableConvolutionLayer>(rank, filters, kernel_size, options));
}

LayerEntry separable_convolution_entry(int rank) {
  const Shape sample = Shape{5, 4}.slice(0, rank);
  const Shape last = Shape{2}.concat(sample).concat({3}), first = Shape{2, 3}.concat(sample);
  const auto example = [&](std::string label, const layers::SeparableConvOptions& options, const Shape& x) {
    return layer_example(std::move(label), options, x, [=](const layers::SeparableConvOptions& own) {
      return make_separable_convolution(rank, 2, 2, own);
    });
  };
  return {"SeparableConv" + std::to_string(rank) + "D",
          [rank](const Config& config) { return from_config(rank, config); },
          {example("valid", {}, last),
           example("two for each channel", {.strides = 2, .padding = "same", .depth_multiplier = 2}, last),
           example("dilated, no bias", {.dilation_rate = 2, .activation = "tanh", .use_bias = false}, last),
           example("strided and dilated", {.strides = 2, .padding = "same", .dilation_rate = 2}, last),
           example("channels first", {.data_format = "channels_first", .bias_initializer = "ones"}, first)}};
}

}  // namespace strata
