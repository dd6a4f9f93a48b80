// SPDX-License-Identifier: Apache-2.0
// The models of keras.applications, as real Keras makes them.
#include "layers/applications/applications.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/model/session.h"
#include "io/keras_file.h"
#include "tests/support/expect_error.h"
#include "tests/support/golden_values.h"

namespace strata {
namespace {

using applications::ApplicationOptions;
using applications::MobileNetV2;
using applications::ResNet50;
using applications::VGG16;
using applications::VGG19;
using nlohmann::json;
using testing::expect_error_with;

/// In the layout of Keras' own file of weights; all elements of an array are equal.
const std::string kVgg19File = std::string(STRATA_GOLDEN_DIR) + "/vgg19.h5";

const json& golden(const char* key) {
  static const json all = testing::read_golden("applications.json");
  return all.at(key);
}

/// With null for an unknown dimension.
Shape shape_of(const json& dims) {
  std::vector<Dim> shape;
  for (const json& dim : dims) shape.push_back(dim.is_null() ? None : dim.get<Dim>());
  return Shape(shape);
}

Model build(const json& golden_case) {
  const json& given = golden_case.at("options");
  const std::string name = golden_case.at("model");
  ApplicationOptions options;
  options.include_top = given.value("include_top", true);
  if (given.contains("input_shape")) options.input_shape = shape_of(given.at("input_shape"));
  options.pooling = given.value("pooling", "");
  options.classes = given.value("classes", Dim{1000});
  if (given.contains("classifier_activation")) options.classifier_activation = nullptr;
  options.name = given.value("name", "");
  if (name == "VGG16") return VGG16(options);
  if (name == "VGG19") return VGG19(options);
  if (name == "ResNet50") return ResNet50(options);
  return MobileNetV2({.input_shape = options.input_shape,
                      .alpha = given.value("alpha", 1.0),
                      .include_top = options.include_top,
                      .pooling = options.pooling,
                      .classes = options.classes,
                      .classifier_activation = options.classifier_activation,
                      .name = options.name});
}

/// The weight's own name, without that of its layer.
std::string last_part(const std::string& path) { return path.substr(path.rfind('/') + 1); }

/// As applications.py describes a layer.
std::string layer_line(const Model& model, const LayerRef& layer) {
  const auto name_of = [](const LayerRef& l) { return l.layer().class_name() == "InputLayer" ? "" : l.name(); };
  std::string line = name_of(layer) + ": " + layer.layer().class_name() + " " + layer.output_shape().str();
  for (const Variable& weight : layer.weights()) line += " " + last_part(weight.path()) + " " + weight.shape().str();
  const auto node = std::find_if(model.graph().model_nodes().begin(), model.graph().model_nodes().end(),
                                 [&](const ModelNode& n) { return n.layer == layer; });
  std::string inbound;
  for (const Tensor& input : node->node->inputs()) {
    const auto& op = dynamic_cast<const LayerOp&>(input.node()->op());
    inbound += (inbound.empty() ? "" : ", ") + name_of(LayerRef(op.layer()));
  }
  line += " <- " + inbound;
  if (layer.layer().class_name() != "BatchNormalization") return line;
  const Config config = layer.get_config();
  return line +
         fmt::format(" (momentum {}, epsilon {})", config.at("momentum").as_double(), config.at("epsilon").as_double());
}

/// As applications.py makes it.
Tensor noise(const Shape& shape, double height, std::size_t stream, float offset = 0) {
  std::vector<float> values(static_cast<std::size_t>(shape.elements()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto x = static_cast<std::uint32_t>(i * 2654435761U + 12345U + stream * 40503U);
    x = (x ^ (x >> 16U)) * 0x45D9F3BU;
    x ^= x >> 16U;
    values[i] = static_cast<float>(height * (static_cast<double>(x) / 2147483648.0 - 1.0)) + offset;
  }
  return constant(values, shape);
}

Tensor weight(const Variable& variable, std::size_t stream) {
  const Shape& shape = variable.shape();
  if (shape.rank() > 1) {
    const bool depthwise = shape.rank() == 4 && shape[3] == 1;
    const Dim fan = shape.slice(0, depthwise ? 2 : shape.rank() - 1).elements();
    return noise(shape, std::sqrt(6.0 / static_cast<double>(fan)), stream);
  }
  const std::string name = last_part(variable.path());
  return noise(shape, 0.1, stream, name == "gamma" || name == "moving_variance" ? 1 : 0);
}

class Applications : public ::testing::Test {
 private:
  Session session_;
  SessionScope scope_{session_};
};
class ApplicationGraphs : public Applications, public ::testing::WithParamInterface<std::size_t> {};
class ApplicationPredictions : public Applications, public ::testing::WithParamInterface<std::size_t> {};

template <const char* key>
std::string case_name(const ::testing::TestParamInfo<std::size_t>& c) {
  return golden(key)[c.param].at("model").get<std::string>() + "_" + std::to_string(c.index);
}
constexpr char kGraphs[] = "graphs", kPredictions[] = "predictions";

TEST_P(ApplicationGraphs, HaveKerasLayers) {
  const json& expected = golden(kGraphs)[GetParam()];
  const Model model = build(expected);
  EXPECT_EQ(model.name(), expected.at("name"));
  EXPECT_EQ(model.count_params(), expected.at("params").get<Dim>());
  std::vector<std::string> lines;
  for (const LayerRef& layer : model.layers()) lines.push_back(layer_line(model, layer));
  EXPECT_EQ(lines, expected.at("layers").get<std::vector<std::string>>());
}

TEST_P(ApplicationPredictions, AreThoseOfKeras) {
  const json& expected = golden(kPredictions)[GetParam()];
  Model model = build(expected);
  std::size_t stream = 0;
  for (const Variable& variable : model.weights()) variable.assign(weight(variable, stream++));
  const Tensor output = model.predict(noise(Shape{2}.concat(shape_of(expected["options"]["input_shape"])), 1.0, 1000));
  ASSERT_EQ(output.shape(), shape_of(expected.at("shape")));
  const auto wanted = expected.at("values").get<std::vector<double>>();
  const Dim columns = static_cast<Dim>(wanted.size()) / 2;
  const auto values = ops::slice(output, {0, 0}, {2, columns}).to_vector<float>();
  double largest = 0;
  for (const double value : wanted) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(values[i], wanted[i], 1e-5 * largest) << i;
}

INSTANTIATE_TEST_SUITE_P(All, ApplicationGraphs, ::testing::Range(std::size_t{0}, golden(kGraphs).size()),
                         case_name<kGraphs>);
INSTANTIATE_TEST_SUITE_P(All, ApplicationPredictions, ::testing::Range(std::size_t{0}, golden(kPredictions).size()),
                         case_name<kPredictions>);

TEST_F(Applications, PreprocessAsKerasDoes) {
  for (const json& expected : golden("preprocessed")) {
    const std::string name = expected.at("name"), data_format = expected.at("data_format");
    const Tensor x = testing::golden_tensor(expected.at("x")), wanted = testing::golden_tensor(expected.at("y"));
    const Tensor y = name == "mobilenet_v2" ? applications::mobilenet_v2::preprocess_input(x, data_format)
                     : name == "resnet50"   ? applications::resnet50::preprocess_input(x, data_format)
                     : name == "vgg19"      ? applications::vgg19::preprocess_input(x, data_format)
                                            : applications::vgg16::preprocess_input(x, data_format);
    ASSERT_EQ(y.spec(), wanted.spec()) << name;
    EXPECT_EQ(y.to_vector<float>(), wanted.to_vector<float>()) << name << " " << data_format << " " << x.spec().str();
  }
}

TEST_F(Applications, ReadTheWeightFilesOfKeras) {
  const Model model = VGG19({.weights = kVgg19File});
  ASSERT_EQ(model.weights().size(), 38u);
  double number = 0;
  for (const Variable& weight : model.weights()) {
    const Shape& shape = weight.shape();
    const auto fan = static_cast<double>(shape.slice(0, shape.rank() - 1).elements());
    const auto value = static_cast<float>((1 + number++ / 64) / fan);
    const auto elements = weight.value().to_vector<float>();
    EXPECT_EQ(std::count(elements.begin(), elements.end(), value), shape.elements()) << weight.path();
  }
}

TEST_F(Applications, RefuseTheWeightFilesOfOthers) {
  expect_error_with<IoError>([] { VGG16({.include_top = false, .weights = kVgg19File}); },
                             "Layer count mismatch when loading weights from file. Model expected 13 layers, found 19 "
                             "saved layers.");
  expect_error_with<IoError>(
      [] {
        VGG19({.weights = kVgg19File, .input_shape = {32, 32, 1}});
      },
      "Weight expects shape (3, 3, 1, 64). Received saved weight with shape (3, 3, 3, 64)");
}

TEST_F(Applications, RefuseWhatKerasRefuses) {
  expect_error_with<ConfigError>(
      [&] {
        VGG16({.input_shape = {224, 224}});
      },
      "`input_shape` must be a tuple of three integers.");
  expect_error_with<ConfigError>(
      [&] {
        ResNet50({.include_top = false, .input_shape = {32, 31, 3}});
      },
      "Input size must be at least 32x32; Received: input_shape=(32, 31, 3)");
  expect_error_with<ConfigError>(
      [&] {
        VGG19({.input_shape = {None, None, 3}});
      },
      "If `include_top` is True, you should specify a static `input_shape`. Received: input_shape=(None, "
      "None, 3)");
  expect_error_with<ConfigError>([&] { MobileNetV2({.include_top = false, .pooling = "mean"}); },
                                 "The `pooling` argument should be empty, \"avg\" or \"max\". Received: pooling=mean");
  expect_error_with<ConfigError>([&] { MobileNetV2({.alpha = 0}); }, "Expected alpha above 0. Received: alpha=0");
  expect_error_with<ConfigError>([&] { VGG19({.weights = "imagenet"}); },
                                 "nothing is downloaded. Received: weights=imagenet");
  expect_error_with<ConfigError>([&] { VGG19({.weights = kVgg19File, .classifier_activation = "relu"}); },
                                 "Only `None` and `softmax` activations are allowed");
}

TEST_F(Applications, RefuseImagesOfOtherShapes) {
  expect_error_with<ShapeError>(
      [&] {
        applications::vgg19::preprocess_input(ops::zeros({4, 4}));
      },
      "received float32 (4, 4)");
  expect_error_with<ShapeError>(
      [&] {
        applications::vgg19::preprocess_input(ops::zeros({4, 4, 1}));
      },
      "expected 3 channels");
  expect_error_with<ShapeError>(
      [&] {
        applications::mobilenet_v2::preprocess_input(ops::zeros({1, 4, 4, 3}), "channels_first");
      },
      "expected 3 channels");
}

}  // namespace
}  // namespace strata
