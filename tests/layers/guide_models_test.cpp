// SPDX-License-Identifier: Apache-2.0
// The models of the guide at full size, as real Keras describes them: what they predict, and how ten steps go.
#include <gtest/gtest.h>

#include <cmath>

#include "core/model/session.h"
#include "core/training/training_config.h"
#include "layers/layers.h"
#include "tests/support/golden_noise.h"
#include "tests/support/golden_values.h"

namespace strata {
namespace {

using nlohmann::json;
using testing::noise;
using testing::noise_weight;

const json& cases() {
  static const json all = testing::read_golden("guide_models.json");
  return all;
}

Tensor array(const json& spec) {
  const Shape shape(spec.at("shape").get<std::vector<Dim>>());
  const json& kind = spec.at("kind");
  if (kind.is_null()) return noise(shape, 1.0);
  std::vector<std::int32_t> values(static_cast<std::size_t>(kind.is_string() ? shape[0] : shape.elements()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = kind.is_string() ? static_cast<std::int32_t>(i % static_cast<std::size_t>(shape[1]))
                                 : static_cast<std::int32_t>(i * 7919 % kind.get<std::size_t>());
  }
  if (kind.is_string()) return ops::one_hot(constant(values, {shape[0]}), shape[1]);
  return constant(values, shape);
}

std::vector<Tensor> arrays(const json& specs) {
  std::vector<Tensor> all;
  for (const json& spec : specs) all.push_back(array(spec));
  return all;
}

class GuideModels : public ::testing::TestWithParam<std::size_t> {
 protected:
  const json& golden() const { return cases()[GetParam()]; }
  Model make() const {
    const Model model = model_from_json(golden().at("model").dump());
    for (const Variable& variable : model.weights()) variable.assign(noise_weight(variable.shape()));
    return model;
  }

 private:
  Session session_;
  SessionScope scope_{session_};
};

/// Those that the guide trains.
class TrainedGuideModels : public GuideModels {};

std::vector<std::size_t> trained_cases() {
  std::vector<std::size_t> trained;
  for (std::size_t i = 0; i < cases().size(); ++i) {
    if (!cases()[i].at("y").is_null()) trained.push_back(i);
  }
  return trained;
}

std::string case_name(const ::testing::TestParamInfo<std::size_t>& c) {
  return cases()[c.param].at("name").get<std::string>();
}

TEST_P(GuideModels, PredictWhatKerasPredicts) {
  Model model = make();
  EXPECT_EQ(model.count_params(), golden().at("params").get<Dim>());
  const auto predictions = model.predict_all(arrays(golden().at("x")));
  ASSERT_EQ(predictions.size(), golden().at("predictions").size());
  for (std::size_t k = 0; k < predictions.size(); ++k) {
    const json& expected = golden().at("predictions")[k];
    EXPECT_EQ(predictions[k].shape(), Shape(expected.at("shape").get<std::vector<Dim>>()));
    const auto values = predictions[k].to_vector<float>();
    const auto wanted = expected.at("values").get<std::vector<double>>();
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      ASSERT_NEAR(values[i], wanted[i], 1e-5 * std::max(1.0, std::abs(wanted[i]))) << "output " << k << ", " << i;
    }
  }
}

TEST_P(TrainedGuideModels, TenStepsGoAsInKeras) {
  Model model = make();
  Config compile = Config::from_json(golden().at("compile").dump());
  compile.set("optimizer_config", compile.at("optimizer"));
  model.compile(compile_options(compile, model.graph().output_names()));
  const auto x = arrays(golden().at("x")), y = arrays(golden().at("y"));
  for (const double expected : golden().at("losses")) {
    EXPECT_NEAR(model.train_on_batch(x, y)[0], expected, 1e-4 * std::max(1.0, expected));
  }
}

INSTANTIATE_TEST_SUITE_P(All, GuideModels, ::testing::Range(std::size_t{0}, cases().size()), case_name);
INSTANTIATE_TEST_SUITE_P(All, TrainedGuideModels, ::testing::ValuesIn(trained_cases()), case_name);

}  // namespace
}  // namespace strata
