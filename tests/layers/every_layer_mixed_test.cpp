// SPDX-License-Identifier: Apache-2.0
// Every layer of the registry under the mixed policies: what it gives, what it keeps, and how near that is to float32.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/model/session.h"
#include "core/ops/ops.h"
#include "core/program/autodiff.h"
#include "layers/registry.h"
#include "tests/support/layer_training.h"

namespace strata {
namespace {

struct Case {
  const LayerEntry* entry;
  const LayerExample* example;
  const char* policy;
};

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const auto& [name, entry] : LayerRegistry::instance().entries()) {
    for (const LayerExample& example : entry.examples) {
      for (const char* policy : {"mixed_bfloat16", "mixed_float16"}) cases.push_back({&entry, &example, policy});
    }
  }
  return cases;
}

std::string case_name(const ::testing::TestParamInfo<Case>& info) {
  std::string name = info.param.entry->class_name + "_" + info.param.example->label + "_" + info.param.policy;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
}

/// The config with `policy` as the dtype of the layer and of those within it.
Config under(const Config& config, const std::string& policy) {
  if (config.is_list()) {
    Config::List items;
    for (const Config& item : config.as_list()) items.push_back(under(item, policy));
    return items;
  }
  if (!config.is_object()) return config;
  Config result = Config::object();
  for (const auto& [key, value] : config.as_object()) {
    result.set(key, key == "dtype" ? Config(policy) : under(value, policy));
  }
  return result;
}

class EveryMixedLayer : public ::testing::TestWithParam<Case> {
 protected:
  const LayerExample& example() const { return *GetParam().example; }
  Dtype half() const { return DtypePolicy(GetParam().policy).compute_dtype(); }

  LayerRef mixed() const {
    const Config config = under(example().make(Dtype::float32).get_config(), GetParam().policy);
    return deserialize_layer(GetParam().entry->class_name, config);
  }

  /// Numbers that halves hold, so that both layers see the same ones.
  std::vector<Tensor> inputs() const {
    std::vector<Tensor> result;
    for (const Shape& shape : example().inputs) {
      const RandomKey key{constant<std::int64_t>({5, 0, 0}, {3}), result.size() + 1};
      result.push_back(ops::cast(ops::random_uniform(key, shape, -1.0, 1.0, half()), Dtype::float32));
    }
    return result;
  }

 private:
  Session session_;
  SessionScope scope_{session_};
};

/// The largest element, at least 1.
double size_of_largest(const Tensor& x) {
  return std::max(1.0, static_cast<double>(ops::max(ops::abs(x)).item<float>()));
}

TEST_P(EveryMixedLayer, GivesHalvesOfFloat32Weights) {
  const std::vector<Tensor> x = inputs();
  const LayerRef full = example().make(Dtype::float32), layer = mixed();
  const std::vector<Tensor> expected = full.call(x), outputs = layer.call(x);
  ASSERT_EQ(layer.weights().size(), full.weights().size());
  for (std::size_t i = 0; i < layer.weights().size(); ++i) {
    const Variable weight = layer.weights()[i];
    EXPECT_EQ(weight.spec(), full.weights()[i].spec()) << weight.path();
    weight.assign(full.weights()[i].value());
  }
  const std::vector<Tensor> again = layer.call(x);
  // A few roundings of a sum's terms and of what is between ops, each of half a last place, relative to the largest.
  const double tolerance = 16 * (half() == Dtype::float16 ? 0x1p-11 : 0x1p-8);
  ASSERT_EQ(outputs.size(), expected.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    ASSERT_EQ(outputs[i].spec(), (TensorSpec{expected[i].shape(), half()}));
    const Tensor difference = ops::abs(ops::cast(again[i], Dtype::float32) - expected[i]);
    EXPECT_LE(ops::max(difference).item<float>(), tolerance * size_of_largest(expected[i])) << "output " << i;
  }
}

TEST_P(EveryMixedLayer, HasFloat32GradientsOfItsWeights) {
  for (const bool training : {false, true}) {
    const std::vector<Tensor> x = inputs();
    const LayerRef layer = mixed();
    Trace trace{training, constant<std::int64_t>({7, 1, 0}, {3}), {}, {}};
    CallContext context(trace, "layer", training);
    const std::vector<Tensor> outputs = layer.layer().run(x, context);
    std::vector<Tensor> sources = x;
    for (const Variable& weight : layer.trainable_weights()) sources.push_back(weight.value());
    const auto found = gradients(outputs, sources);
    for (std::size_t i = 0; i < found.size(); ++i) {
      const Tensor gradient = dense(found[i], sources[i]);
      EXPECT_EQ(gradient.spec(), sources[i].spec());
      for (const float value : gradient.to_vector<float>()) EXPECT_TRUE(std::isfinite(value)) << "source " << i;
    }
    for (const StateUpdate& update : trace.updates) {
      EXPECT_EQ(update.value.dtype(), update.variable.spec().dtype);
      update.value.eval();
    }
  }
}

class EveryMixedLayerInTraining : public EveryMixedLayer {};

TEST_P(EveryMixedLayerInTraining, GivesTheSameBitsOnOneRankAndOnThree) {
  const auto make = [&] { return mixed(); };
  const std::vector<float> one = testing::train_layer(make, example().inputs, 1, 3);
  const std::vector<float> three = testing::train_layer(make, example().inputs, 3, 3);
  ASSERT_EQ(three.size(), one.size());
  EXPECT_EQ(std::memcmp(three.data(), one.data(), one.size() * sizeof(float)), 0);
}

/// One of the policies: which half it is makes no difference to how blocks are summed.
std::vector<Case> training_cases() {
  std::vector<Case> cases = all_cases();
  std::erase_if(cases, [](const Case& c) { return c.policy != std::string("mixed_bfloat16"); });
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Registry, EveryMixedLayerInTraining, ::testing::ValuesIn(training_cases()), case_name);
INSTANTIATE_TEST_SUITE_P(Registry, EveryMixedLayer, ::testing::ValuesIn(all_cases()), case_name);

}  // namespace
}  // namespace strata
