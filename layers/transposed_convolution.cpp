// SPDX-License-Identifier: Apache-2.0
#include "layers/transposed_convolution.h"

#include "core/base/error.h"
#include "core/ops/convolution.h"
#include "layers/convolution_base.h"

namespace strata {
namespace {

class TransposedConvolutionLayer final : public ConvolutionBase {
 public:
  TransposedConvolutionLayer(int rank, Dim filters, const Sizes& kernel_size,
                             const layers::ConvTransposeOptions& options)
      : ConvolutionBase("Conv{}DTranspose", convolution_arguments(rank, kernel_size, options)),
        filters_(filters),
        kernel_options_{.initializer = options.kernel_initializer,
                        .regularizer = options.kernel_regularizer,
                        .constraint = options.kernel_constraint} {
    check_filters(filters);
    if (!options.output_padding.empty()) {
      output_padding_ = options.output_padding.expanded(rank, "output_padding", 0);
      check_output_padding();
    }
    refuse_strides_with_dilation();
  }

 private:
  void check_output_padding() const {
    const std::vector<Dim>& strides = arguments().strides;
    for (std::size_t i = 0; i < strides.size(); ++i) {
      // Keras lets this pass and TensorFlow then finds no convolution from the output's size to the input's.
      if (output_padding_[i] == 0 && arguments().padding == "same" && span(i) % 2 == 0) {
        throw ConfigError("`output_padding` must be positive where `padding` is 'same' and the dilated `kernel_size` " +
                          std::to_string(span(i)) + " is even. Received: output_padding=" +
                          tuple_text(output_padding_) + ", kernel_size=" + tuple_text(arguments().kernel_size) +
                          ", dilation_rate=" + tuple_text(arguments().dilation_rate));
      }
      if (output_padding_[i] < strides[i]) continue;
      throw ConfigError("`output_padding` must be strictly less than `strides` for all dimensions. At dimension " +
                        std::to_string(i) + ", `output_padding` is " + std::to_string(output_padding_[i]) +
                        " but `strides` is " + std::to_string(strides[i]) + ". Received: output_padding=" +
                        tuple_text(output_padding_) + ", strides=" + tuple_text(strides));
    }
  }

  void check_input(const Shape& input) const override { check_rank(input); }

  Dim filters(Dim) const override { return filters_; }

  void build_kernels(Dim channels) override {
    kernel_ = add_weight("kernel", kernel_shape(filters_, channels), kernel_options_);
  }

  /// Of the kernel along axis i.
  Dim span(std::size_t i) const {
    return WindowAxis{.size = arguments().kernel_size[i], .dilation = arguments().dilation_rate[i]}.span();
  }

  /// How long axis i becomes from n.
  Dim output_size(std::size_t i, Dim n) const {
    if (n == None) return None;
    const Dim stride = arguments().strides[i];
    const bool same = arguments().padding == "same";
    if (output_padding_.empty()) return same ? n * stride : (n - 1) * stride + std::max(span(i), stride);
    return (n - 1) * stride + (same ? span(i) % 2 : span(i)) + output_padding_[i];
  }

  // The gradient of the convolution that has an input of the output's size.
  Tensor product(const Tensor& x) const override {
    std::vector<Dim> spatial;
    for (int axis = 1; axis < x.rank() - 1; ++axis) {
      spatial.push_back(output_size(static_cast<std::size_t>(axis) - 1, x.shape()[axis]));
    }
    const Window over = padded_window(arguments().kernel_size, arguments().strides, arguments().dilation_rate,
                                      arguments().padding, spatial);
    return ops::convolution_backward_data(x, kernel_, over, spatial);
  }

  Config own_config() const override {
    Config config =
        Config::object({{"filters", filters_},
                        {"output_padding", output_padding_.empty() ? Config() : tuple_config(output_padding_)}});
    set_weight_config(config, "kernel", kernel_options_);
    return config;
  }

  Dim filters_;
  std::vector<Dim> output_padding_;  // empty = none given
  WeightOptions kernel_options_;
  Variable kernel_;
};

LayerRef from_config(int rank, const Config& config) {
  const LayerConfig arguments("Conv" + std::to_string(rank) + "DTranspose", config,
                              convolution_argument_names({"kernel"}, {"filters", "output_padding", "groups"}));
  expect_one_group(arguments);
  auto options = convolution_options<layers::ConvTransposeOptions>(arguments);
  options.output_padding = Sizes::from_config(arguments.get("output_padding"));
  options.kernel_initializer = arguments.initializer("kernel_initializer", "glorot_uniform");
  options.kernel_regularizer = arguments.regularizer("kernel_regularizer");
  options.kernel_constraint = arguments.constraint("kernel_constraint");
  return make_transposed_convolution(rank, arguments.integer("filters"),
                                     Sizes::from_config(arguments.get("kernel_size")), options);
}

}  // namespace

LayerRef make_transposed_convolution(int rank, Dim filters, const Sizes& kernel_size,
                                     const layers::ConvTransposeOptions& options) {
  return LayerRef(std::make_shared<TransposedConvolutionLayer>(rank, filters, kernel_size, options));
}

LayerEntry transposed_convolution_entry(int rank) {
  const Shape sample = Shape{4, 3, 2}.slice(0, rank);
  const Shape last = Shape{2}.concat(sample).concat({2}), first = Shape{2, 2}.concat(sample);
  const auto example = [&](std::string label, const layers::ConvTransposeOptions& options, const Shape& x) {
    return layer_example(std::move(label), options, x, [=](const layers::ConvTransposeOptions& own) {
      return make_transposed_convolution(rank, 2, 2, own);
    });
  };
  return {"Conv" + std::to_string(rank) + "DTranspose",
          [rank](const Config& config) { return from_config(rank, config); },
          {example("valid", {}, last),
           example("same, strided", {.strides = 2, .padding = "same", .activation = "tanh"}, last),
           example("longer, no bias", {.strides = 3, .output_padding = 1, .use_bias = false}, last),
           example("dilated", {.dilation_rate = 2, .bias_initializer = "ones"}, last),
           example("channels first", {.strides = 2, .data_format = "channels_first"}, first)}};
}

}  // namespace strata
