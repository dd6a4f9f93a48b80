// SPDX-License-Identifier: Apache-2.0
// What golden values cannot show of the layers that convolve: errors with their texts, unknown and empty dimensions.
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/model/functional.h"
#include "core/model/session.h"
#include "core/program/autodiff.h"
#include "core/training/model.h"
#include "layers/layers.h"
#include "layers/registry.h"
#include "tests/support/expect_error.h"

namespace strata {
namespace {

using testing::expect_error;

class ConvolutionLayers : public ::testing::Test {
  Session session_;
  SessionScope scope_{session_};
};

TEST_F(ConvolutionLayers, RefuseSizesThatAreNoTuples) {
  expect_error<ConfigError>(
      [] {
        layers::Conv2D(2, {3, 3, 3});
      },
      "The `kernel_size` argument must be a tuple of 2 integers. Received kernel_size=(3, 3, 3)");
  expect_error<ConfigError>(
      [] { layers::Conv1D(2, 0); },
      "The `kernel_size` argument must be a tuple of 1 integers. Received kernel_size=0, including "
      "values {0} that do not satisfy `value > 0`");
  expect_error<ConfigError>(
      [] {
        layers::Conv3D(2, 3, {.strides = {1, 0, -1}});
      },
      "The `strides` argument must be a tuple of 3 integers. Received strides=(1, 0, -1), "
      "including values {-1, 0} that do not satisfy `value > 0`");
  expect_error<ConfigError>([] { layers::DepthwiseConv2D(3, {.strides = {2}}); },
                            "The `strides` argument must be a tuple of 2 integers. Received strides=(2,)");
  expect_error<ConfigError>([] { layers::SeparableConv1D(2, 3, {.dilation_rate = 0}); },
                            "The `dilation_rate` argument must be a tuple of 1 integers. Received dilation_rate=0, "
                            "including values {0} that do not satisfy `value > 0`");
}

TEST_F(ConvolutionLayers, RefuseUnknownModes) {
  expect_error<ConfigError>([] { layers::Conv1D(2, 3, {.padding = "Full"}); },
                            "The `padding` argument must be a list/tuple or one of {'valid', 'same', 'causal'}. "
                            "Received: full");
  expect_error<ConfigError>(
      [] { layers::Conv2D(2, 3, {.padding = "causal"}); },
      "The `padding` argument must be a list/tuple or one of {'valid', 'same'}. Received: causal");
  expect_error<ConfigError>(
      [] { layers::Conv1DTranspose(2, 3, {.padding = "causal"}); },
      "The `padding` argument must be a list/tuple or one of {'valid', 'same'}. Received: causal");
  expect_error<ConfigError>([] { layers::SeparableConv2D(2, 3, {.data_format = "NCHW"}); },
                            "The `data_format` argument must be one of {'channels_first', 'channels_last'}. Received: "
                            "data_format=nchw");
  testing::expect_error_with<ConfigError>([] { layers::DepthwiseConv1D(3, {.activation = "relux"}); },
                                          "Unknown activation function:relux. Expected one of: [");
}

TEST_F(ConvolutionLayers, RefuseCountsThatAreNotPositive) {
  expect_error<ConfigError>(
      [] { layers::Conv2D(0, 3); },
      "Invalid value for argument `filters`. Expected a strictly positive value. Received filters=0.");
  expect_error<ConfigError>(
      [] { layers::Conv3DTranspose(-1, 3); },
      "Invalid value for argument `filters`. Expected a strictly positive value. Received filters=-1.");
  expect_error<ConfigError>(
      [] { layers::SeparableConv1D(0, 3); },
      "Invalid value for argument `filters`. Expected a strictly positive value. Received filters=0.");
  const std::string multiplier =
      "Invalid value for argument `depth_multiplier`. Expected a strictly positive value. Received depth_multiplier=0.";
  expect_error<ConfigError>([] { layers::SeparableConv2D(2, 3, {.depth_multiplier = 0}); }, multiplier);
  expect_error<ConfigError>([] { layers::DepthwiseConv1D(3, {.depth_multiplier = 0}); }, multiplier);
  expect_error<ConfigError>([] { layers::Conv2D(4, 3, {.groups = 0}); },
                            "The number of groups must be a positive integer. Received: groups=0.");
  expect_error<ConfigError>(
      [] { layers::Conv1D(4, 3, {.groups = 3}); },
      "The number of filters must be evenly divisible by the number of groups. Received: groups=3, filters=4.");
}

TEST_F(ConvolutionLayers, RefuseStridesWithDilationWhereKerasDoes) {
  const std::string text =
      "`strides > 1` not supported in conjunction with `dilation_rate > 1`. Received: strides=(2, 1) and "
      "dilation_rate=(1, 3)";
  expect_error<ConfigError>([] { layers::Conv2D(2, 3, {.strides = {2, 1}, .dilation_rate = {1, 3}}); }, text);
  expect_error<ConfigError>([] { layers::Conv2DTranspose(2, 3, {.strides = {2, 1}, .dilation_rate = {1, 3}}); }, text);
}

TEST_F(ConvolutionLayers, RefuseOutputPaddingThatDoesNotFit) {
  expect_error<ConfigError>(
      [] {
        layers::Conv2DTranspose(2, 3, {.strides = {2, 1}, .output_padding = {1, 1}});
      },
      "`output_padding` must be strictly less than `strides` for all dimensions. At dimension 1, "
      "`output_padding` is 1 but `strides` is 1. Received: output_padding=(1, 1), strides=(2, 1)");
  expect_error<ConfigError>([] { layers::Conv1DTranspose(2, 3, {.strides = 2, .output_padding = -1}); },
                            "The `output_padding` argument must be a tuple of 1 integers. Received output_padding=-1, "
                            "including values {-1} that do not satisfy `value >= 0`");
  expect_error<ConfigError>(
      [] { layers::Conv1DTranspose(2, 4, {.strides = 2, .padding = "same", .output_padding = 0}); },
      "`output_padding` must be positive where `padding` is 'same' and the dilated `kernel_size` 4 is even. Received: "
      "output_padding=(0,), kernel_size=(4,), dilation_rate=(1,)");
}

TEST_F(ConvolutionLayers, RefuseGroupsOfLayersThatHaveNone) {
  Config config = layers::DepthwiseConv2D(3, {.name = "d"}).get_config();
  config.set("groups", 1);  // as TF 2 writes it
  EXPECT_NO_THROW(deserialize_layer("DepthwiseConv2D", config));
  config.set("groups", 2);
  expect_error<ConfigError>([&] { deserialize_layer("DepthwiseConv2D", config); },
                            "expected groups=1 for a layer without groups, received groups=2");
}

TEST_F(ConvolutionLayers, RefuseWeightsOfIntegers) {
  expect_error<DtypeError>([] { layers::Conv2D(2, 3, {.dtype = Dtype::int32}); },
                           "Unable to build `Conv2D` layer with non-floating point dtype <dtype: 'int32'>");
}

TEST_F(ConvolutionLayers, RefuseInputsOfOtherRanksOrChannels) {
  expect_error<ShapeError>(
      [] {
        layers::Conv2D(2, 3, {.name = "c"})(Input({7, 3}));
      },
      "Input 0 of layer c is incompatible with the layer: : expected min_ndim=4, found ndim=3. Full "
      "shape received: [None, 7, 3]");
  expect_error<ShapeError>(
      [] {
        layers::Conv1D(2, 3, {.name = "c"})(Input({7, 5, 4}));
      },
      "Kernel shape must have the same length as input, but received kernel of shape (3, 4, 2) and "
      "input of shape (None, 7, 5, 4). (layer: c)");
  expect_error<ShapeError>(
      [] {
        layers::Conv2DTranspose(5, 3, {.name = "c"})(Input({7, 5, 4, 2}));
      },
      "Kernel shape must have the same length as input, but received kernel of shape (3, 3, 2, 5) "
      "and input of shape (None, 7, 5, 4, 2). (layer: c)");
  expect_error<ShapeError>(
      [] {
        layers::Conv2D(2, 3, {.name = "c"})(Input({7, 5, None}));
      },
      "The channel dimension of the inputs should be defined. Found `None`. Received input shape: "
      "(None, 7, 5, None) (layer: c)");
  expect_error<ShapeError>(
      [] {
        layers::Conv2D(4, 3, {.groups = 2, .name = "c"})(Input({7, 5, 3}));
      },
      "The number of input channels must be evenly divisible by the number of groups. Received "
      "groups=2, but the input has 3 channels (full input shape is (None, 7, 5, 3)). (layer: c)");
  const layers::Conv2D first(2, 3, {.data_format = "channels_first", .name = "f"});
  first(Input({4, 7, 5}));
  expect_error<ShapeError>(
      [&] {
        first(Input({3, 7, 5}));
      },
      "Input 0 of layer f is incompatible with the layer: expected axis 1 of input shape to have "
      "value 4 but received input with shape [None, 3, 7, 5]");
  EXPECT_EQ(first(Input({None, 7, 5})).shape(), (Shape{None, 2, 5, 3}));
}

TEST_F(ConvolutionLayers, RefuseInputsThatKernelsDoNotFit) {
  const auto refuses = [](const LayerRef& layer, const Shape& input, const std::string& received) {
    expect_error<ShapeError>([&] { layer(Input({.batch_shape = input})); },
                             "Computed output size would be zero or negative. Received " + received + " (layer: c)");
  };
  refuses(layers::Conv2D(2, 3, {.name = "c"}), {None, 2, 7, 4},
          "`inputs shape=(None, 2, 7, 4)`, `kernel shape=(3, 3, 4, 2)`, `dilation_rate=[1 1]`, `strides=(1, 1)`, "
          "`padding=valid`.");
  refuses(layers::Conv1D(2, 3, {.dilation_rate = 3, .name = "c"}), {2, 6, 4},
          "`inputs shape=(2, 6, 4)`, `kernel shape=(3, 4, 2)`, `dilation_rate=[3]`, `strides=(1,)`, `padding=valid`.");
  refuses(layers::DepthwiseConv2D({1, 5}, {.depth_multiplier = 2, .data_format = "channels_first", .name = "c"}),
          {None, 4, None, 4},
          "`inputs shape=(None, 4, None, 4)`, `kernel shape=(1, 5, 4, 8)`, `dilation_rate=[1 1]`, `strides=(1, 1)`, "
          "`padding=valid`.");
  refuses(layers::SeparableConv1D(2, 5, {.name = "c"}), {None, 4, 3},
          "`inputs shape=(None, 4, 3)`, `kernel shape=(5, 3, 2)`, `dilation_rate=[1]`, `strides=(1,)`, "
          "`padding=valid`.");
  // An unknown size may turn out to be too small.
  const layers::Conv1D later(2, 3, {.name = "c"});
  later(Input({None, 4}));
  refuses(later, {1, 2, 4},
          "`inputs shape=(1, 2, 4)`, `kernel shape=(3, 4, 2)`, `dilation_rate=[1]`, `strides=(1,)`, `padding=valid`.");
}

TEST_F(ConvolutionLayers, InferWhatIsKnownOfUnknownSizes) {
  const auto inferred = [](const LayerRef& layer, const Shape& input) {
    return layer(Input({.batch_shape = input})).shape();
  };
  for (const char* padding : {"valid", "same"}) {
    const Dim known = std::string(padding) == "same" ? 4 : 3;
    EXPECT_EQ(inferred(layers::Conv2D(2, 3, {.strides = {1, 2}, .padding = padding}), {None, None, 7, 3}),
              (Shape{None, None, known, 2}));
    EXPECT_EQ(inferred(layers::DepthwiseConv2D(3, {.strides = 2, .padding = padding}), {5, 7, None, 3}),
              (Shape{5, known, None, 3}));
    EXPECT_EQ(inferred(layers::SeparableConv1D(2, 3, {.padding = padding}), {None, None, 3}), (Shape{None, None, 2}));
    EXPECT_EQ(inferred(layers::Conv2DTranspose(2, 3, {.strides = 2, .padding = padding}), {None, None, 4, 3}),
              (Shape{None, None, known == 4 ? 8 : 9, 2}));
  }
  EXPECT_EQ(inferred(layers::Conv1D(2, 3, {.strides = 2, .padding = "causal"}), {None, None, 3}),
            (Shape{None, None, 2}));
}

TEST_F(ConvolutionLayers, ComputeOnSizesThatWereUnknown) {
  const auto inputs = Input({None, 3});
  const auto x = layers::Conv1D(2, 3, {.strides = 2, .padding = "same"})(inputs);
  const Model model(inputs, layers::Conv1DTranspose(1, 3, {.strides = 2, .padding = "same"})(x));
  EXPECT_EQ(model(ops::ones({2, 5, 3})).shape(), (Shape{2, 6, 1}));
  EXPECT_EQ(model(ops::ones({1, 8, 3})).shape(), (Shape{1, 8, 1}));
}

TEST_F(ConvolutionLayers, TakeEmptyBatches) {
  const Tensor image = ops::ones({0, 5, 4, 2});
  for (const LayerRef& layer : std::initializer_list<LayerRef>{
           layers::Conv2D(4, 3, {.groups = 2}), layers::Conv2DTranspose(4, 3, {.strides = 2}),
           layers::DepthwiseConv2D(3, {.depth_multiplier = 2}), layers::SeparableConv2D(4, 3)}) {
    const Tensor y = layer(image);
    EXPECT_EQ(y.shape().with(1, 1).with(2, 1), (Shape{0, 1, 1, 4}));
    std::vector<Tensor> sources;
    for (const Variable& weight : layer.weights()) sources.push_back(weight);
    const auto found = gradients({y}, sources, {ops::ones_like(y)});
    for (std::size_t i = 0; i < found.size(); ++i) {
      for (const double value : ops::cast(dense(found[i], sources[i]), Dtype::float64).to_vector<double>()) {
        EXPECT_EQ(value, 0.0) << layer.layer().class_name();
      }
    }
  }
}

}  // namespace
}  // namespace strata
