// SPDX-License-Identifier: Apache-2.0
// What every layer must do, run over the examples of the registry.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/base/error.h"
#include "core/model/functional.h"
#include "core/model/session.h"
#include "core/program/autodiff.h"
#include "layers/registry.h"
#include "tests/support/expect_error.h"
#include "tests/support/layer_training.h"

namespace strata {
namespace {

struct Case {
  const LayerEntry* entry;
  const LayerExample* example;
};

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const auto& [name, entry] : LayerRegistry::instance().entries()) {
    for (const LayerExample& example : entry.examples) cases.push_back({&entry, &example});
  }
  return cases;
}

std::string case_name(const ::testing::TestParamInfo<Case>& info) {
  std::string name = info.param.entry->class_name + "_" + info.param.example->label;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
}

class EveryLayer : public ::testing::TestWithParam<Case> {
 protected:
  const LayerExample& example() const { return *GetParam().example; }

  /// Fixed values in [-1, 1), none of them within 1e-3 of the kinks at 0 that activations have.
  std::vector<Tensor> inputs(Dtype dtype) const {
    std::vector<Tensor> result;
    std::uint64_t stream = 0;
    for (const Shape& shape : example().inputs) {
      const RandomKey key{constant<std::int64_t>({5, 0, 0}, {3}), ++stream};
      auto values = ops::random_uniform(key, shape, -1.0, 1.0, Dtype::float64).to_vector<double>();
      for (double& value : values) value += std::abs(value) < 1e-3 ? 0.01 : 0.0;
      result.push_back(ops::cast(constant(values, shape), dtype));
    }
    return result;
  }

  static std::vector<TensorSpec> specs(const std::vector<Tensor>& tensors) {
    std::vector<TensorSpec> result;
    for (const Tensor& tensor : tensors) result.push_back(tensor.spec());
    return result;
  }

 private:
  Session session_;
  SessionScope scope_{session_};
};

TEST_P(EveryLayer, InfersTheShapesItComputes) {
  const auto real = inputs(Dtype::float32);
  for (const bool training : {false, true}) {
    const auto outputs = example().make(Dtype::float32).call(real, {.training = training});
    std::vector<Tensor> known, batched;
    for (const Shape& shape : example().inputs) {
      known.push_back(Input({.batch_shape = shape}));
      batched.push_back(Input({.batch_shape = shape.with(0, None)}));
    }
    EXPECT_EQ(specs(example().make(Dtype::float32).call(known, {.training = training})), specs(outputs));
    const auto inferred = example().make(Dtype::float32).call(batched, {.training = training});
    ASSERT_EQ(inferred.size(), outputs.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      EXPECT_EQ(inferred[i].shape()[0], None) << "an unknown batch stays unknown";
      EXPECT_EQ(inferred[i].shape().slice(1, inferred[i].rank()), outputs[i].shape().slice(1, outputs[i].rank()));
      EXPECT_EQ(inferred[i].dtype(), outputs[i].dtype());
      const auto values = outputs[i].to_vector<float>();
      EXPECT_EQ(static_cast<Dim>(values.size()), outputs[i].shape().elements());
      EXPECT_TRUE(std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }));
    }
  }
}

TEST_P(EveryLayer, GivesTheSameInAModel) {
  std::vector<Tensor> symbolic;
  for (const Shape& shape : example().inputs) symbolic.push_back(Input({.batch_shape = shape.with(0, None)}));
  const LayerRef layer = example().make(Dtype::float32);
  const LayerRef model(std::make_shared<Functional>(symbolic, layer.call(symbolic)));
  const auto real = inputs(Dtype::float32);
  const auto alone = layer.call(real), within = model.call(real);
  for (std::size_t i = 0; i < alone.size(); ++i) {
    EXPECT_EQ(within[i].to_vector<float>(), alone[i].to_vector<float>());
  }
}

/// The sum of outputs times fixed weights, as a function of the inputs and of the layer's weights.
double objective(const LayerRef& layer, const std::vector<Tensor>& inputs, const std::vector<Tensor>& factors,
                 bool training) {
  Trace trace{training, constant<std::int64_t>({7, 1, 0}, {3}), {}, {}};
  CallContext context(trace, "layer", training);
  const auto outputs = layer.layer().run(inputs, context);
  double total = 0.0;
  for (std::size_t i = 0; i < outputs.size(); ++i) total += ops::sum(outputs[i] * factors[i]).item<double>();
  return total;
}

/// (f(x + h) - f(x - h)) / 2h for one element of what `set` sets.
template <class F, class Set>
double slope(const F& f, const Set& set, const std::vector<double>& values, std::size_t element) {
  constexpr double kStep = 1e-6;
  std::vector<double> moved = values;
  moved[element] += kStep;
  set(moved);
  const double above = f();
  moved[element] -= 2 * kStep;
  set(moved);
  const double below = f();
  set(values);
  return (above - below) / (2 * kStep);
}

template <class F, class Set>
void expect_slopes(const Tensor& gradient, const std::vector<double>& values, const F& f, const Set& set) {
  const auto analytic = gradient.to_vector<double>();
  ASSERT_EQ(analytic.size(), values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_NEAR(analytic[i], slope(f, set, values, i), 1e-6 * (1.0 + std::abs(analytic[i]))) << "element " << i;
  }
}

class EveryDifferentiableLayer : public EveryLayer {};

TEST_P(EveryDifferentiableLayer, HasTheGradientsOfItsFunction) {
  for (const bool training : {false, true}) {
    const LayerRef layer = example().make(Dtype::float64);
    std::vector<Tensor> x = inputs(Dtype::float64);
    Trace trace{training, constant<std::int64_t>({7, 1, 0}, {3}), {}, {}};
    CallContext context(trace, "layer", training);
    const auto outputs = layer.layer().run(x, context);
    std::vector<Tensor> factors;
    for (const Tensor& output : outputs) {
      const RandomKey key{constant<std::int64_t>({6, 0, 0}, {3}), factors.size()};
      factors.push_back(ops::random_uniform(key, output.shape(), -1.0, 1.0, Dtype::float64));
    }
    std::vector<Tensor> sources = x;
    std::vector<Variable> weights = layer.weights();
    std::erase_if(weights, [](const Variable& weight) { return !is_floating(weight.spec().dtype); });
    sources.insert(sources.end(), weights.begin(), weights.end());
    const auto derivatives = gradients(outputs, sources, factors);
    const auto f = [&] { return objective(layer, x, factors, training); };
    for (std::size_t i = 0; i < sources.size(); ++i) {
      SCOPED_TRACE("source " + std::to_string(i));
      const auto values = sources[i].to_vector<double>();
      const Shape shape = sources[i].shape();
      if (i < x.size()) {
        expect_slopes(dense(derivatives[i], sources[i]), values, f,
                      [&](const std::vector<double>& v) { x[i] = constant(v, shape); });
      } else {
        const Variable& weight = weights[i - x.size()];
        const Tensor gradient = dense(derivatives[i], sources[i]);
        gradient.eval();
        expect_slopes(gradient, values, f, [&](const std::vector<double>& v) { weight.assign(constant(v, shape)); });
      }
    }
  }
}

TEST_P(EveryLayer, IsRebuiltFromItsConfig) {
  const LayerRef layer = example().make(Dtype::float32);
  const Config config = layer.get_config();
  const Config through_text = Config::from_json(config.to_json());
  EXPECT_EQ(through_text, config);
  const LayerRef again = deserialize_layer(GetParam().entry->class_name, through_text);
  EXPECT_EQ(again.get_config().to_json(), config.to_json());
  EXPECT_EQ(again.layer().class_name(), GetParam().entry->class_name);
  const auto x = inputs(Dtype::float32);
  const auto expected = layer.call(x), received = again.call(x);
  ASSERT_EQ(layer.weights().size(), again.weights().size());
  for (std::size_t i = 0; i < layer.weights().size(); ++i) again.weights()[i].assign(layer.weights()[i]);
  const auto values = again.call(x);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(values[i].to_vector<float>(), expected[i].to_vector<float>());
  }
}

TEST_P(EveryLayer, RefusesArgumentsItDoesNotKnow) {
  Config config = example().make(Dtype::float32).get_config();
  config.set("no_such_argument", 1);
  EXPECT_THROW(deserialize_layer(GetParam().entry->class_name, config), ConfigError);
}

TEST_P(EveryLayer, StartsFromWeightsThatDependOnSeedAndNameOnly) {
  const auto weights = [&](bool others_first) {
    Session session;
    session.set_seed(11);
    const SessionScope scope(session);
    const auto x = inputs(Dtype::float32);
    if (others_first) {
      for (const Case& other : all_cases()) {
        if (other.example->make(Dtype::float32).name() != example().make(Dtype::float32).name()) {
          std::vector<Tensor> symbolic;
          for (const Shape& shape : other.example->inputs) symbolic.push_back(Input({.batch_shape = shape}));
          other.example->make(Dtype::float32).call(symbolic);
        }
      }
    }
    const LayerRef layer = example().make(Dtype::float32);
    layer.call(x);
    std::vector<std::vector<float>> values;
    for (const Variable& weight : layer.weights()) {
      values.push_back(ops::cast(weight, Dtype::float32).to_vector<float>());
    }
    return values;
  };
  EXPECT_EQ(weights(false), weights(true));
}

std::vector<float> trained(const LayerExample& example, int ranks, Dim blocks) {
  return testing::train_layer([&] { return example.make(Dtype::float32); }, example.inputs, ranks, blocks);
}

TEST_P(EveryDifferentiableLayer, TrainsAlikeOnOneRankAndOnFour) {
  const std::vector<float> one = trained(example(), 1, 4);
  const std::vector<float> four = trained(example(), 4, 4);
  ASSERT_EQ(four.size(), one.size());
  EXPECT_EQ(std::memcmp(four.data(), one.data(), one.size() * sizeof(float)), 0) << "four blocks: not the same bits";
  if (example().mixes_samples) return;
  const std::vector<float> whole = trained(example(), 1, 1);
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_NEAR(one[i], whole[i], 1e-5 * (1.0 + std::abs(whole[i]))) << "one block: value " << i;
  }
}

std::vector<Case> differentiable_cases() {
  std::vector<Case> cases = all_cases();
  std::erase_if(cases, [](const Case& c) { return !c.example->differentiable; });
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Registry, EveryDifferentiableLayer, ::testing::ValuesIn(differentiable_cases()), case_name);
INSTANTIATE_TEST_SUITE_P(Registry, EveryLayer, ::testing::ValuesIn(all_cases()), case_name);

struct Refusal {
  const LayerEntry* entry;
  const LayerRefusal* refusal;
};

std::vector<Refusal> all_refusals() {
  std::vector<Refusal> all;
  for (const auto& [name, entry] : LayerRegistry::instance().entries()) {
    for (const LayerRefusal& refusal : entry.refusals) all.push_back({&entry, &refusal});
  }
  return all;
}

std::string refusal_name(const ::testing::TestParamInfo<Refusal>& info) {
  const auto [entry, refusal] = info.param;
  return entry->class_name + std::to_string(refusal - entry->refusals.data());
}

class EveryRefusal : public ::testing::TestWithParam<Refusal> {};

TEST_P(EveryRefusal, SaysWhatIsWrong) {
  const auto [entry, refusal] = GetParam();
  Session session;
  const SessionScope scope(session);
  testing::expect_error<Error>(
      [&] {
        const Config config = Config::from_json(refusal->config).set("name", "layer");
        const LayerRef layer = deserialize_layer(entry->class_name, config);
        std::vector<Tensor> inputs;
        for (const Shape& shape : refusal->inputs) inputs.push_back(Input({.batch_shape = shape}));
        if (!inputs.empty()) layer.call(inputs);
      },
      refusal->text);
}

INSTANTIATE_TEST_SUITE_P(Registry, EveryRefusal, ::testing::ValuesIn(all_refusals()), refusal_name);

TEST(LayerRegistry, NamesUnknownLayers) {
  try {
    deserialize_layer("CustomDense", Config::object());
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_EQ(std::string(error.what()).find("Unknown layer: CustomDense. "), 0U) << error.what();
  }
}

TEST(LayerRegistry, EveryLayerHasAnExample) {
  EXPECT_GE(LayerRegistry::instance().entries().size(), 8u);
  for (const auto& [name, entry] : LayerRegistry::instance().entries()) EXPECT_FALSE(entry.examples.empty()) << name;
}

}  // namespace
}  // namespace strata
