// SPDX-License-Identifier: Apache-2.0
// What golden values cannot show of pooling, upsampling, zero padding and cropping: errors with their texts, unknown
// and empty dimensions.
#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.h"
#include "core/model/functional.h"
#include "core/model/session.h"
#include "layers/layers.h"
#include "tests/support/expect_error.h"

namespace strata {
namespace {

using testing::expect_error;

class PoolingLayers : public ::testing::Test {
  Session session_;
  SessionScope scope_{session_};
};

Shape inferred(const LayerRef& layer, const Shape& input) { return layer(Input({.batch_shape = input})).shape(); }

TEST_F(PoolingLayers, RefuseArguments) {
  expect_error<ConfigError>(
      [] {
        layers::MaxPooling2D({2, 2, 2});
      },
      "The `pool_size` argument must be a tuple of 2 integers. Received pool_size=(2, 2, 2)");
  expect_error<ConfigError>([] { layers::AveragePooling1D(0); },
                            "The `pool_size` argument must be a tuple of 1 integers. Received pool_size=0, including "
                            "values {0} that do not satisfy `value > 0`");
  expect_error<ConfigError>(
      [] {
        layers::MaxPooling3D(2, {.strides = {1, 2}});
      },
      "The `strides` argument must be a tuple of 3 integers. Received strides=(1, 2)");
  expect_error<ConfigError>([] { layers::MaxPooling1D(2, {.padding = "causal"}); },
                            "Argument `padding` must be either 'valid' or 'same'. Received: padding=causal");
  const std::string format =
      "The `data_format` argument must be one of {'channels_first', 'channels_last'}. Received: data_format=first";
  expect_error<ConfigError>([] { layers::AveragePooling2D(2, {.data_format = "first"}); }, format);
  expect_error<ConfigError>([] { layers::GlobalMaxPooling2D({.data_format = "first"}); }, format);
}

TEST_F(PoolingLayers, RefuseInputs) {
  expect_error<ShapeError>(
      [] {
        layers::MaxPooling2D(2, {.name = "p"})(Input({4, 4}));
      },
      "Input 0 of layer p is incompatible with the layer: expected ndim=4, found ndim=3. Full shape "
      "received: [None, 4, 4]");
  expect_error<ShapeError>(
      [] { layers::GlobalAveragePooling1D({.name = "p"})(Input({4})); },
      "Input 0 of layer p is incompatible with the layer: expected ndim=3, found ndim=2. Full shape "
      "received: [None, 4]");
  expect_error<ShapeError>(
      [] {
        layers::AveragePooling2D({2, 3}, {.name = "p"})(Input({4, 2, 1}));
      },
      "Computed output size would be zero or negative. Received: `inputs.shape=[None 4 2 1]`, "
      "`pool_size=[2 3]`, `strides=(2, 3)`, `padding=valid`. (layer: p)");
}

TEST_F(PoolingLayers, InferWhatIsKnownOfUnknownSizes) {
  EXPECT_EQ(inferred(layers::MaxPooling2D(2), {None, None, 7, 3}), (Shape{None, None, 3, 3}));
  EXPECT_EQ(inferred(layers::AveragePooling2D(2, {.padding = "same"}), {5, 7, None, None}), (Shape{5, 4, None, None}));
  EXPECT_EQ(inferred(layers::GlobalMaxPooling2D({.keepdims = true}), {None, None, None, 3}), (Shape{None, 1, 1, 3}));
  EXPECT_EQ(inferred(layers::GlobalAveragePooling1D(), {None, None, 3}), (Shape{None, 3}));
  EXPECT_EQ(inferred(layers::UpSampling2D({2, 3}), {None, None, 4, 3}), (Shape{None, None, 12, 3}));
  EXPECT_EQ(inferred(layers::UpSampling2D(2, {.interpolation = "bilinear"}), {None, 2, None, 3}),
            (Shape{None, 4, None, 3}));
  EXPECT_EQ(inferred(layers::ZeroPadding1D({1, 2}), {None, None, 3}), (Shape{None, None, 3}));
  EXPECT_EQ(inferred(layers::Cropping2D(1), {None, None, 4, None}), (Shape{None, None, 2, None}));
}

TEST_F(PoolingLayers, TakeEmptyBatches) {
  const Tensor image = ops::ones({0, 4, 6, 3});
  EXPECT_EQ(layers::MaxPooling2D(2)(image).shape(), (Shape{0, 2, 3, 3}));
  EXPECT_EQ(layers::AveragePooling2D(2)(image).shape(), (Shape{0, 2, 3, 3}));
  EXPECT_EQ(layers::GlobalMaxPooling2D()(image).to_vector<float>().size(), 0u);
  EXPECT_EQ(layers::UpSampling2D(2, {.interpolation = "bicubic"})(image).to_vector<float>().size(), 0u);
  EXPECT_EQ(layers::Cropping2D(1)(image).to_vector<float>().size(), 0u);
}

// As Keras: the mean of no steps is 0 / 0.
TEST_F(PoolingLayers, TheMeanOfNoStepsIsNotANumber) {
  const Tensor mask = constant<bool>({false, false, true, false}, {2, 2});
  const auto means =
      layers::GlobalAveragePooling1D()(constant({1.f, 2.f, 3.f, 4.f}, {2, 2, 1}), {.mask = {mask}}).to_vector<float>();
  EXPECT_TRUE(std::isnan(means[0]));
  EXPECT_EQ(means[1], 3.f);
}

TEST_F(PoolingLayers, UpSamplingRefusesArguments) {
  expect_error<ConfigError>([] { layers::UpSampling1D(0); },
                            "Argument `size` should be a positive integer. Received: size=0");
  expect_error<ConfigError>(
      [] {
        layers::UpSampling2D({2, 2, 2});
      },
      "The `size` argument must be a tuple of 2 integers. Received size=(2, 2, 2)");
  expect_error<ConfigError>(
      [] {
        layers::UpSampling3D({2, 0, 2});
      },
      "The `size` argument must be a tuple of 3 integers. Received size=(2, 0, 2), including values "
      "{0} that do not satisfy `value > 0`");
  expect_error<ConfigError>([] { layers::UpSampling2D(2, {.interpolation = "area"}); },
                            "Invalid value for argument `interpolation`. Expected of one ('bilinear', 'nearest', "
                            "'lanczos3', 'lanczos5', 'bicubic'). Received: interpolation=area");
}

TEST_F(PoolingLayers, EdgesRefuseArguments) {
  expect_error<ConfigError>(
      [] {
        layers::ZeroPadding1D({1, 2, 3});
      },
      "The `padding` argument must be a tuple of 2 integers. Received padding=(1, 2, 3)");
  expect_error<ConfigError>(
      [] { layers::Cropping1D(-1); },
      "The `cropping` argument must be a tuple of 2 integers. Received cropping=-1, including values "
      "{-1} that do not satisfy `value >= 0`");
  expect_error<ConfigError>([] { layers::Cropping2D(-1); }, "`cropping` cannot be negative. Received: cropping=-1.");
  expect_error<ConfigError>(
      [] {
        layers::ZeroPadding2D({1, 2, 3});
      },
      "`padding` should have two elements. Received: padding=(1, 2, 3).");
  expect_error<ConfigError>(
      [] {
        layers::Cropping3D({1, 2});
      },
      "`cropping` should have 3 elements. Received: cropping=(1, 2).");
  expect_error<ConfigError>(
      [] {
        layers::ZeroPadding3D({{1, 0}, {1, -1}, {0, 0}});
      },
      "The `2nd entry of padding` argument must be a tuple of 2 integers. Received 2nd entry of "
      "padding=(1, -1), including values {-1} that do not satisfy `value >= 0`");
}

TEST_F(PoolingLayers, CroppingRefusesToLeaveNothing) {
  expect_error<ShapeError>(
      [] {
        layers::Cropping1D({2, 3}, {.name = "c"})(Input({5, 2}));
      },
      "`cropping` parameter of `Cropping1D` layer must be smaller than the input length. Received: "
      "input_shape=(None, 5, 2), cropping=(2, 3) (layer: c)");
  expect_error<ShapeError>(
      [] {
        layers::Cropping2D({{0, 0}, {4, 0}}, {.name = "c"})(Input({5, 4, 2}));
      },
      "Values in `cropping` argument should be smaller than the corresponding spatial dimension of "
      "the input. Received: input_shape=(None, 5, 4, 2), cropping=((0, 0), (4, 0)) (layer: c)");
}

}  // namespace
}  // namespace strata
