// SPDX-License-Identifier: Apache-2.0
#include "layers/convolution.h"

#include "core/base/error.h"
#include "core/ops/convolution.h"
#include "layers/convolution_base.h"

namespace strata {
namespace {

class ConvolutionLayer final : public ConvolutionBase {
 public:
  ConvolutionLayer(int rank, Dim filters, const Sizes& kernel_size, const layers::ConvOptions& options)
      : ConvolutionBase("Conv{}D", convolution_arguments(rank, kernel_size, options, rank == 1)),
        filters_(filters),
        groups_(options.groups),
        kernel_options_{.initializer = options.kernel_initializer,
                        .regularizer = options.kernel_regularizer,
                        .constraint = options.kernel_constraint} {
    check_filters(filters);
    if (groups_ <= 0) {
      throw ConfigError("The number of groups must be a positive integer. Received: groups=" + std::to_string(groups_) +
                        ".");
    }
    if (filters_ % groups_ != 0) {
      throw ConfigError("The number of filters must be evenly divisible by the number of groups. Received: groups=" +
                        std::to_string(groups_) + ", filters=" + std::to_string(filters_) + ".");
    }
    refuse_strides_with_dilation();
  }

 private:
  void check_input(const Shape& input) const override {
    const Dim channels = channels_of(input);
    if (channels != None && channels % groups_ != 0) {
      throw ShapeError(
          "The number of input channels must be evenly divisible by the number of groups. Received groups=" +
          std::to_string(groups_) + ", but the input has " + std::to_string(channels) +
          " channels (full input shape is " + input.str() + ")." + layer_suffix(name()));
    }
    ConvolutionBase::check_input(input);
  }

  Dim filters(Dim) const override { return filters_; }

  void build_kernels(Dim channels) override {
    kernel_ = add_weight("kernel", kernel_shape(channels / groups_, filters_), kernel_options_);
  }

  Tensor product(const Tensor& x) const override { return ops::convolution(x, kernel_, window(x), groups_); }

  Config own_config() const override {
    Config config = Config::object({{"filters", filters_}, {"groups", groups_}});
    set_weight_config(config, "kernel", kernel_options_);
    return config;
  }

  Dim filters_;
  Dim groups_;
  WeightOptions kernel_options_;
  Variable kernel_;
};

LayerRef from_config(int rank, const Config& config) {
  const LayerConfig arguments("Conv" + std::to_string(rank) + "D", config,
                              convolution_argument_names({"kernel"}, {"filters", "groups"}));
  auto options = convolution_options<layers::ConvOptions>(arguments);
  options.groups = arguments.integer("groups", 1);
  options.kernel_initializer = arguments.initializer("kernel_initializer", "glorot_uniform");
  options.kernel_regularizer = arguments.regularizer("kernel_regularizer");
  options.kernel_constraint = arguments.constraint("kernel_constraint");
  return make_convolution(rank, arguments.integer("filters"), Sizes::from_config(arguments.get("kernel_size")),
                          options);
}

}  // namespace

LayerRef make_convolution(int rank, Dim filters, const Sizes& kernel_size, const layers::ConvOptions& options) {
  return LayerRef(std::make_shared<ConvolutionLayer>(rank, filters, kernel_size, options));
}

LayerEntry convolution_entry(int rank) {
  const Shape sample({5, 4, 3});
  const auto input = [&](Dim channels) { return Shape{2}.concat(sample.slice(0, rank)).concat({channels}); };
  const auto example = [&](std::string label, Dim filters, const layers::ConvOptions& options, const Shape& x) {
    return layer_example(std::move(label), options, x,
                         [=](const layers::ConvOptions& own) { return make_convolution(rank, filters, 2, own); });
  };
  LayerEntry entry{"Conv" + std::to_string(rank) + "D",
                   [rank](const Config& config) { return from_config(rank, config); },
                   {example("valid", 3, {}, input(2)),
                    example("same, strided", 2, {.strides = 2, .padding = "same", .activation = "tanh"}, input(2)),
                    example("dilated, no bias", 2, {.dilation_rate = 2, .use_bias = false}, input(1)),
                    example("two groups", 4, {.groups = 2, .bias_initializer = "ones"}, input(2)),
                    example("channels first", 3, {.padding = "same", .data_format = "channels_first"},
                            Shape{2, 2}.concat(sample.slice(0, rank)))}};
  if (rank == 1) entry.examples.push_back(example("causal", 2, {.padding = "causal", .dilation_rate = 2}, input(2)));
  return entry;
}

}  // namespace strata
