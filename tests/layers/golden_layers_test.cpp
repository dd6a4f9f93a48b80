// SPDX-License-Identifier: Apache-2.0
// Layers against what real Keras computed: every case of every file in tests/golden/layers.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/model/session.h"
#include "core/program/autodiff.h"
#include "layers/activations.h"
#include "layers/registry.h"
#include "tests/support/golden_values.h"

namespace strata {
namespace {

using nlohmann::json;
using testing::golden_tensor;

/// One line of a file, parsed by the test that needs it: every test is a process of its own.
struct Case {
  std::string family;
  std::string text;

  std::string label() const {
    const std::string key = "\"label\": \"";
    const std::size_t begin = text.find(key) + key.size();
    return text.substr(begin, text.find('"', begin) - begin);
  }
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.family; }

std::vector<Case> all_cases() {
  std::vector<std::string> families;
  for (const auto& file : std::filesystem::directory_iterator(STRATA_GOLDEN_DIR "/layers")) {
    if (file.path().extension() == ".json") families.push_back(file.path().stem());
  }
  std::sort(families.begin(), families.end());
  std::vector<Case> cases;
  for (const std::string& family : families) {
    std::istringstream lines(testing::golden_text("layers/" + family + ".json"));
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("{")) cases.push_back({family, line.substr(0, line.rfind('}') + 1)});
    }
  }
  return cases;
}

std::string case_name(const ::testing::TestParamInfo<Case>& info) {
  std::string name = info.param.family + "_" + info.param.label();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
}

std::vector<Tensor> tensors(const json& arrays) {
  std::vector<Tensor> result;
  for (const json& array : arrays) result.push_back(array.is_null() ? Tensor() : golden_tensor(array));
  return result;
}

/// Elements within `tolerance` of the expected one, relative to the largest, which counts as at least `floor`.
void expect_close(const Tensor& actual, const Tensor& expected, double tolerance, double floor = 1e-3) {
  double largest = floor;
  for (const double value : ops::cast(expected, Dtype::float64).to_vector<double>()) {
    largest = std::max(largest, std::abs(value));
  }
  testing::expect_close(actual, expected, tolerance, tolerance * largest);
}

/// What the generator multiplies outputs with.
Tensor factors(const TensorSpec& spec) {
  std::vector<double> values(static_cast<std::size_t>(spec.shape.elements()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = (static_cast<double>(i * 7919 % 13) - 6.0) / 8.0;
  }
  return ops::cast(constant(values, spec.shape), spec.dtype);
}

/// The functions that cases name: those of activations.py and core.py.
void register_functions() {
  using Function = Activation::Function;
  namespace a = activations;
  const std::map<std::string, Function> with_arguments = {
      {"relu_bounded", [](const Tensor& x) { return a::relu(x, 0.0, 3.0); }},
      {"relu_bounded_by_six", [](const Tensor& x) { return a::relu(x, 0.0, 6.0); }},
      {"relu_all", [](const Tensor& x) { return a::relu(x, 0.25, 4.0, 1.0); }},
      {"relu_threshold", [](const Tensor& x) { return a::relu(x, 0.0, {}, 1.5); }},
      {"relu_slope", [](const Tensor& x) { return a::relu(x, 0.125); }},
      {"relu_slope_bounded", [](const Tensor& x) { return a::relu(x, 0.5, 2.5); }},
      {"leaky_relu_slope", [](const Tensor& x) { return a::leaky_relu(x, 0.375); }},
      {"elu_alpha", [](const Tensor& x) { return a::elu(x, 0.5); }},
      {"celu_alpha", [](const Tensor& x) { return a::celu(x, 0.5); }},
      {"gelu_approximate", [](const Tensor& x) { return a::gelu(x, true); }},
      {"glu_axis", [](const Tensor& x) { return a::glu(x, 1); }},
      {"hard_shrink_threshold", [](const Tensor& x) { return a::hard_shrink(x, 1.0); }},
      {"soft_shrink_threshold", [](const Tensor& x) { return a::soft_shrink(x, 1.0); }},
      {"threshold", [](const Tensor& x) { return a::threshold(x, 1.0, -0.5); }},
      {"squareplus_b", [](const Tensor& x) { return a::squareplus(x, 0.25); }},
      {"softmax_axis", [](const Tensor& x) { return a::softmax(x, 1); }},
      {"log_softmax_axis", [](const Tensor& x) { return a::log_softmax(x, 1); }},
      {"flipped", [](const Tensor& x) { return CallContext::current()->training() ? -x : x; }},
      {"masked_sum",
       [](const Tensor& x) {
         return ops::sum(x * ops::expand_dims(ops::cast(CallContext::current()->mask(), x.dtype()), -1), {1});
       }},
      {"reversed_mask", [](const Tensor&) { return ops::logical_not(CallContext::current()->mask()); }},
  };
  for (const auto& [name, function] : with_arguments) register_function("golden>" + name, function);
  register_function("golden>affine", [](const Tensor& x, const Config& arguments) {
    const auto number = [&](const char* key, double otherwise) {
      return arguments.contains(key) ? arguments.at(key).as_double() : otherwise;
    };
    return x * number("factor", 1.0) + number("offset", 0.0);
  });
  register_function("golden>difference", [](const std::vector<Tensor>& inputs) { return inputs[0] - inputs[1]; });
}

class GoldenLayers : public ::testing::TestWithParam<Case> {
 public:
  static void SetUpTestSuite() { register_functions(); }

 protected:
  const json& golden() const { return content_; }
  double tolerance(double usual) const {
    return golden().contains("tolerance") ? golden()["tolerance"].get<double>() : usual;
  }

  LayerRef make() const {
    return deserialize_layer(golden().at("class_name").get<std::string>(),
                             Config::from_json(golden().at("config").dump()));
  }
  CallOptions call_options() const {
    return {.training = {},
            .mask = masks_,
            .initial_state = states_,
            .attention_mask = attention_mask_,
            .return_attention_scores = flag("return_attention_scores"),
            .use_causal_mask = flag("use_causal_mask")};
  }

  json content_ = json::parse(GetParam().text);
  std::vector<Tensor> inputs_ = tensors(golden().at("inputs"));
  std::vector<Tensor> masks_ = tensors(golden().at("input_masks"));
  std::vector<Tensor> states_ = tensors(golden().at("initial_state"));
  Tensor attention_mask_ = tensors(json::array({argument("attention_mask")}))[0];

 private:
  /// A further argument of the call; null when there is none.
  json argument(const char* name) const { return golden().value("arguments", json::object()).value(name, json()); }
  bool flag(const char* name) const { return argument(name) == json(true); }

  Session session_;
  SessionScope scope_{session_};
};

/// Inputs of a model that stand for tensors with an unknown batch.
std::vector<Tensor> symbolic(const std::vector<Tensor>& tensors) {
  std::vector<Tensor> inputs;
  for (const Tensor& tensor : tensors) {
    inputs.push_back(tensor ? Input({.dtype = tensor.dtype(), .batch_shape = tensor.shape().with(0, None)}) : Tensor());
  }
  return inputs;
}

void set_weights(const LayerRef& layer, const json& weights) {
  ASSERT_EQ(layer.weights().size(), weights.size());
  const auto trained = layer.trainable_weights();
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const Variable variable = layer.weights()[i];
    const std::string path = variable.path();
    EXPECT_EQ(path.substr(path.rfind('/') + 1), weights[i].at("name").get<std::string>());
    const bool trains = std::find(trained.begin(), trained.end(), variable) != trained.end();
    EXPECT_EQ(trains, weights[i].at("trainable").get<bool>()) << path;
    variable.assign(golden_tensor(weights[i]));
  }
}

/// What Keras' layer.losses would add: the penalties of trainable weights.
std::vector<Tensor> weight_penalties(const LayerRef& layer) {
  std::vector<Tensor> penalties;
  for (const WeightRule& rule : layer.layer().weight_rules()) {
    if (rule.regularizer && rule.variable.trainable()) penalties.push_back(rule.regularizer(rule.variable));
  }
  return penalties;
}

void check_masks(const std::vector<Tensor>& masks, const json& expected) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const bool has_mask = i < masks.size() && masks[i];
    ASSERT_EQ(has_mask, !expected[i].is_null()) << "mask of output " << i;
    if (!has_mask) continue;
    EXPECT_EQ(masks[i].to_vector<bool>(), golden_tensor(expected[i]).to_vector<bool>());
  }
}

TEST_P(GoldenLayers, ComputeWhatKerasComputes) {
  const LayerRef layer = make();
  std::vector<TensorSpec> specs;
  for (const Tensor& input : inputs_) specs.push_back(input.spec());
  layer.layer().ensure_built(specs);
  for (const json& mode : golden().at("modes")) {
    const bool training = mode.at("training");
    SCOPED_TRACE(training ? "training" : "inference");
    ASSERT_NO_FATAL_FAILURE(set_weights(layer, golden().at("weights")));
    Trace trace{training, constant<std::int64_t>({7, 1, 0}, {3}), {}, {}};
    CallContext context(trace, "layer", training, call_options());
    const auto outputs = layer.layer().run(inputs_, context);
    const auto expected = tensors(mode.at("outputs"));
    ASSERT_EQ(outputs.size(), expected.size());
    std::vector<Tensor> totals, seeds;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      SCOPED_TRACE("output " + std::to_string(i));
      expect_close(outputs[i], expected[i], tolerance(1e-5));
      if (!is_floating(outputs[i].dtype())) continue;
      totals.push_back(outputs[i]);
      seeds.push_back(factors(outputs[i].spec()));
    }
    check_masks(context.output_masks(), mode.at("masks"));
    double loss = 0.0;
    std::vector<Tensor> penalties = weight_penalties(layer);
    for (const AddedLoss& added : trace.losses) penalties.push_back(added.value);
    for (const Tensor& penalty : penalties) {
      loss += ops::cast(penalty, Dtype::float64).item<double>();
      totals.push_back(penalty);
      seeds.push_back(ops::ones_like(penalty));
    }
    EXPECT_NEAR(loss, mode.at("loss").get<double>(), tolerance(1e-5) * (1.0 + std::abs(loss)));

    if (mode.contains("gradients")) {
      std::vector<Tensor> sources;
      for (const auto* group : {&inputs_, &states_}) {
        std::copy_if(group->begin(), group->end(), std::back_inserter(sources),
                     [](const Tensor& t) { return is_floating(t.dtype()); });
      }
      for (const Variable& weight : layer.trainable_weights()) sources.push_back(weight);
      const auto found = gradients(totals, sources, seeds);
      const auto wanted = tensors(mode.at("gradients"));
      ASSERT_EQ(found.size(), wanted.size());
      for (std::size_t i = 0; i < found.size(); ++i) {
        SCOPED_TRACE("gradient " + std::to_string(i));
        // A gradient that is 0 in exact arithmetic (attention's key bias) is left with roundings of terms of order 1,
        // which are a hundredth of the usual tolerance but as large as that of halves.
        const double floor = is_half(outputs[0].dtype()) ? 1.0 : 1e-2;
        expect_close(dense(found[i], sources[i]), wanted[i], tolerance(1e-4), floor);
      }
    }

    const auto state_after = tensors(mode.at("state_after"));
    const auto states = layer.non_trainable_weights();
    ASSERT_EQ(states.size(), state_after.size());
    for (std::size_t i = 0; i < states.size(); ++i) {
      SCOPED_TRACE(states[i].path());
      expect_close(context.value(states[i]), state_after[i], tolerance(1e-5));
    }
  }
}

TEST_P(GoldenLayers, InferTheShapesThatKerasComputes) {
  const bool training = golden().at("modes")[0].at("training");
  CallOptions options = call_options();
  options.training = training;
  options.mask = symbolic(masks_);
  options.initial_state = symbolic(states_);
  options.attention_mask = symbolic({attention_mask_})[0];
  const auto outputs = make().call(symbolic(inputs_), options);
  const auto expected = tensors(golden().at("modes")[0].at("outputs"));
  ASSERT_EQ(outputs.size(), expected.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    EXPECT_EQ(outputs[i].dtype(), expected[i].dtype());
    ASSERT_EQ(outputs[i].rank(), expected[i].rank());
    for (int axis = 0; axis < outputs[i].rank(); ++axis) {
      const Dim dim = outputs[i].shape()[axis];
      EXPECT_TRUE(dim == None || dim == expected[i].shape()[axis])
          << "axis " << axis << " of " << outputs[i].shape().str();
      EXPECT_TRUE(axis == 0 || dim != None) << "axis " << axis << " can be inferred";
    }
  }
}

TEST_P(GoldenLayers, WriteTheConfigTheyRead) {
  const Config config = make().get_config();
  EXPECT_EQ(deserialize_layer(golden().at("class_name").get<std::string>(), config).get_config(), config);
}

TEST_P(GoldenLayers, WriteTheConfigOfKeras) {
  json written = testing::keras_config(json::parse(make().get_config().to_json()));
  const json expected = testing::keras_config(golden().at("config"));
  if (!expected.contains("trainable")) written.erase("trainable");  // forgotten by Keras' SpatialDropout
  EXPECT_EQ(written, expected) << json::diff(expected, written);
}

INSTANTIATE_TEST_SUITE_P(Keras, GoldenLayers, ::testing::ValuesIn(all_cases()), case_name);

}  // namespace
}  // namespace strata
