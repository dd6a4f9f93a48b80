// SPDX-License-Identifier: Apache-2.0
// Initial values: their distributions against those of real Keras, and their descriptions.
#include "core/model/initializers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "tests/support/expect_error.h"
#include "tests/support/golden_values.h"

namespace strata {
namespace {

using testing::expect_error;

RandomKey key(std::uint64_t stream) { return {constant<std::int64_t>({3, 0, 0}, {3}), stream}; }

std::vector<double> sorted_draws(const Initializer& initializer, const Shape& shape, int draws) {
  std::vector<double> all;
  for (int i = 0; i < draws; ++i) {
    const auto values =
        initializer(shape, Dtype::float32, key(static_cast<std::uint64_t>(i) * 1000)).to_vector<float>();
    all.insert(all.end(), values.begin(), values.end());
  }
  std::sort(all.begin(), all.end());
  return all;
}

TEST(Initializers, DrawFromTheDistributionsOfKeras) {
  const auto golden = testing::read_golden("initializers.json");
  ASSERT_GE(golden.at("cases").size(), 18u);
  for (const auto& c : golden.at("cases")) {
    SCOPED_TRACE(c.at("name").get<std::string>() + c.at("shape").dump());
    const Shape shape(c.at("shape").get<std::vector<Dim>>());
    const int draws = c.at("name") == "orthogonal" ? 2 : 10;
    const auto values = sorted_draws(c.at("name").get<std::string>(), shape, draws);
    const double std = c.at("std"), n = static_cast<double>(values.size());
    double mean = 0.0, square = 0.0;
    for (const double value : values) mean += value / n;
    for (const double value : values) square += (value - mean) * (value - mean) / n;
    // Five standard errors and a little for the golden file's own.
    EXPECT_NEAR(mean, c.at("mean").get<double>(), 6 * std / std::sqrt(n) + 1e-9);
    EXPECT_NEAR(std::sqrt(square), std, 5 * std / std::sqrt(n) + 1e-9);
    const auto& levels = c.at("quantile_levels");
    for (std::size_t i = 0; i < levels.size(); ++i) {
      const double expected = c.at("quantiles")[i];
      const double found = values[static_cast<std::size_t>(levels[i].get<double>() * (n - 1))];
      EXPECT_NEAR(found, expected, 15 * std / std::sqrt(n)) << "quantile " << levels[i];
    }
  }
}

TEST(Initializers, TruncatedNormalsStayWithinTwoDeviations) {
  const auto values = sorted_draws(initializers::TruncatedNormal(1.0, 0.5), {300, 300}, 2);
  EXPECT_GE(values.front(), 0.0);
  EXPECT_LE(values.back(), 2.0);
  EXPECT_LT(values.front(), 0.01);
  EXPECT_GT(values.back(), 1.99);
}

TEST(Initializers, VarianceScalingCountsInputsAndOutputs) {
  const Shape convolution{3, 3, 8, 16};
  const auto limit = [&](const char* mode) {
    return sorted_draws(initializers::VarianceScaling(2.0, mode, "uniform"), convolution, 1).back();
  };
  EXPECT_NEAR(limit("fan_in"), std::sqrt(6.0 / (9 * 8)), 2e-3);
  EXPECT_NEAR(limit("fan_out"), std::sqrt(6.0 / (9 * 16)), 2e-3);
  EXPECT_NEAR(limit("fan_avg"), std::sqrt(6.0 / (9 * 12)), 2e-3);
}

TEST(Initializers, OrthogonalMatricesAreOrthogonal) {
  for (const Shape& shape : {Shape{6, 4}, Shape{4, 6}, Shape{5, 5}, Shape{2, 3, 4}}) {
    const Tensor q = ops::reshape(initializers::Orthogonal(2.0)(shape, Dtype::float64, key(1)), {None, shape.back()});
    const bool tall = q.shape()[0] >= q.shape()[1];
    const Tensor product = tall ? ops::matmul(q, q, true, false) : ops::matmul(q, q, false, true);
    const Tensor identity = initializers::Identity(4.0)(product.shape(), Dtype::float64, key(0));
    testing::expect_close(product, identity, 1e-12, 1e-12);
  }
}

TEST(Initializers, ConstantsAndIdentity) {
  EXPECT_EQ(initializers::Constant(2.5)({2}, Dtype::float32, key(0)).to_vector<float>(),
            (std::vector<float>{2.5, 2.5}));
  EXPECT_EQ(initializers::Ones()({2}, Dtype::int32, key(0)).to_vector<std::int32_t>(),
            (std::vector<std::int32_t>{1, 1}));
  EXPECT_EQ(initializers::Identity(3)({2, 3}, Dtype::float32, key(0)).to_vector<float>(),
            (std::vector<float>{3, 0, 0, 0, 3, 0}));
  EXPECT_THROW(initializers::Identity()({2}, Dtype::float32, key(0)), ShapeError);
  EXPECT_THROW(initializers::Orthogonal()({2}, Dtype::float32, key(0)), ShapeError);
}

TEST(Initializers, OwnSeedsReplaceTheKey) {
  const auto draw = [](const Initializer& initializer, std::uint64_t stream) {
    return initializer({4}, Dtype::float32, key(stream)).to_vector<float>();
  };
  EXPECT_NE(draw(initializers::GlorotUniform(), 1), draw(initializers::GlorotUniform(), 2));
  EXPECT_EQ(draw(initializers::GlorotUniform(9), 1), draw(initializers::GlorotUniform(9), 2));
  EXPECT_NE(draw(initializers::GlorotUniform(9), 1), draw(initializers::GlorotUniform(8), 1));
}

TEST(Initializers, AreDescribedAsKerasDoes) {
  EXPECT_EQ(Initializer("glorot_uniform").config().to_json(),
            R"({"class_name": "GlorotUniform", "config": {"seed": null}})");
  EXPECT_EQ(initializers::RandomNormal().config().to_json(),
            R"({"class_name": "RandomNormal", "config": {"mean": 0.0, "stddev": 0.05, "seed": null}})");
  EXPECT_EQ(
      initializers::VarianceScaling(2.0, "fan_out", "uniform", 3).config().to_json(),
      R"({"class_name": "VarianceScaling", "config": {"scale": 2.0, "mode": "fan_out", "distribution": "uniform", )"
      R"("seed": 3}})");
  EXPECT_EQ(initializers::Zeros().config().to_json(), R"({"class_name": "Zeros", "config": {}})");
}

TEST(Initializers, AreReadFromConfigs) {
  for (const char* name :
       {"zeros", "ones", "constant", "random_normal", "random_uniform", "truncated_normal", "variance_scaling",
        "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal", "orthogonal",
        "identity", "normal", "uniform", "HeNormal"}) {
    const Config config = Initializer(name).config();
    const Initializer again = Initializer::from_config(Config::from_json(config.to_json()));
    EXPECT_EQ(again.config(), config);
    EXPECT_EQ(again({3, 2}, Dtype::float32, key(5)).to_vector<float>(),
              Initializer(name)({3, 2}, Dtype::float32, key(5)).to_vector<float>());
  }
  testing::expect_error_with<ConfigError>([] { Initializer("glorot"); },
                                          "Unknown initializer:glorot. Expected one of: Constant, GlorotNormal, ");
  EXPECT_THROW(Initializer::from_config(Config::from_json(R"({"class_name": "Zeros", "config": {"x": 1}})")),
               ConfigError);
  EXPECT_THROW(initializers::VarianceScaling(0.0), ConfigError);
  EXPECT_THROW(initializers::VarianceScaling(1.0, "fan"), ConfigError);
  EXPECT_THROW(initializers::VarianceScaling(1.0, "fan_in", "cauchy"), ConfigError);
}

}  // namespace
}  // namespace strata
