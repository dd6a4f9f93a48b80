// SPDX-License-Identifier: Apache-2.0
#include "core/training/metric.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/ops/ops.h"
#include "core/training/loss.h"
#include "tests/support/golden_values.h"

namespace strata {
namespace {

using testing::golden_tensor;

Metric named(const std::string& class_name) {
  if (class_name == "BinaryAccuracy") return metrics::BinaryAccuracy();
  if (class_name == "CategoricalAccuracy") return metrics::CategoricalAccuracy();
  return metrics::SparseCategoricalAccuracy();
}

double mean_of(const Tensor& values, const Tensor& weights) {
  return (ops::sum(values * weights) / ops::sum(weights)).item<float>();
}

TEST(Metric, AccuracyEqualsKeras) {
  const auto golden = testing::read_golden("metrics.json");
  for (const auto& c : golden.at("cases")) {
    SCOPED_TRACE(c.at("name").get<std::string>());
    const Tensor y_true = golden_tensor(c.at("y_true"));
    const Tensor y_pred = golden_tensor(c.at("y_pred"));
    const Tensor values = Metric("accuracy")->values(y_true, y_pred);
    EXPECT_NEAR(mean_of(values, ops::ones_like(values)), c.at("accuracy").get<double>(), 1e-6);
    EXPECT_NEAR(mean_of(values, golden_tensor(c.at("sample_weight"))), c.at("accuracy_weighted").get<double>(), 1e-6);
    const Tensor direct = named(c.at("resolved").get<std::string>())->values(y_true, y_pred);
    EXPECT_EQ(values.to_vector<float>(), direct.to_vector<float>());
  }
  EXPECT_GE(golden.at("cases").size(), 9u);
}

TEST(Metric, BinaryAccuracyAveragesTheLastAxis) {
  const Tensor y_true = constant({1, 0, 1, 1}, {2, 2});
  const Tensor y_pred = constant({0.6f, 0.5f, 0.4f, 0.9f}, {2, 2});
  EXPECT_EQ(metrics::BinaryAccuracy()->values(y_true, y_pred).to_vector<float>(), (std::vector<float>{1.0f, 0.5f}));
  EXPECT_EQ(metrics::BinaryAccuracy(0.7)->values(y_true, y_pred).to_vector<float>(), (std::vector<float>{0.5f, 0.5f}));
  EXPECT_THROW(metrics::BinaryAccuracy(0.0), ConfigError);
  EXPECT_THROW(metrics::BinaryAccuracy(1.0), ConfigError);
}

TEST(Metric, AccuracyOfAFlatOutputIsBinary) {
  const Tensor values = Metric("acc")->values(constant({1, 0}, {2}), constant({0.9f, 0.8f}, {2}));
  EXPECT_EQ(values.to_vector<float>(), (std::vector<float>{1.0f, 0.0f}));
}

TEST(Metric, FirstMaximumCounts) {
  const Tensor y_pred = constant({2.0f, 2.0f, 0.0f, 1.0f, 3.0f, 3.0f}, {2, 3});
  const Metric sparse = metrics::SparseCategoricalAccuracy();
  for (const Dtype dtype : {Dtype::uint8, Dtype::int32, Dtype::int64, Dtype::float32}) {
    const Tensor labels = ops::cast(constant({0, 2}, {2, 1}), dtype);
    EXPECT_EQ(sparse->values(labels, y_pred).to_vector<float>(), (std::vector<float>{1.0f, 0.0f}));
  }
  const Tensor one_hot = ops::one_hot(constant({0, 1}, {2}), 3);
  EXPECT_EQ(metrics::CategoricalAccuracy()->values(one_hot, y_pred).to_vector<float>(), (std::vector<float>{1, 1}));
}

TEST(Metric, NamesAreThoseTheUserGave) {
  EXPECT_EQ(Metric("acc")->name(), "acc");
  EXPECT_EQ(Metric("accuracy")->name(), "accuracy");
  EXPECT_EQ(Metric("mse")->name(), "mse");
  EXPECT_EQ(metrics::BinaryAccuracy()->name(), "binary_accuracy");
  EXPECT_THROW(Metric("acuracy"), ConfigError);
}

TEST(Metric, ALossIsAMetric) {
  const Tensor y_true = constant({1.0f, 2.0f}, {1, 2});
  const Tensor y_pred = constant({3.0f, 5.0f}, {1, 2});
  EXPECT_FLOAT_EQ(Metric("mse")->values(y_true, y_pred).item<float>(), 6.5f);
}

TEST(Metric, ShapesThatDoNotFitAreErrors) {
  const Tensor y_pred = placeholder({{None, 3}, Dtype::float32});
  EXPECT_THROW(Metric("accuracy")->values(placeholder({{None, 4}, Dtype::float32}), y_pred), ShapeError);
  const Tensor labels = placeholder({{None, 3}, Dtype::int32});
  EXPECT_THROW(metrics::SparseCategoricalAccuracy()->values(labels, y_pred), ShapeError);
}

}  // namespace
}  // namespace strata
