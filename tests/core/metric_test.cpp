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

/// The values of a metric that is a mean.
Tensor values_of(const Metric& metric, const Tensor& y_true, const Tensor& y_pred) {
  return dynamic_cast<const MeanMetric&>(*metric).values(y_true, y_pred);
}

double result_of(Metric metric, const Tensor& y_true, const Tensor& y_pred, const Tensor& weights = {}) {
  metric.reset_state();
  metric.update_state(y_true, y_pred, weights);
  return metric.result();
}

TEST(Metric, AccuracyEqualsKeras) {
  const auto golden = testing::read_golden("metrics.json");
  for (const auto& c : golden.at("cases")) {
    SCOPED_TRACE(c.at("name").get<std::string>());
    const Tensor y_true = golden_tensor(c.at("y_true"));
    const Tensor y_pred = golden_tensor(c.at("y_pred"));
    const Tensor weights = golden_tensor(c.at("sample_weight"));
    EXPECT_NEAR(result_of("accuracy", y_true, y_pred), c.at("accuracy").get<double>(), 1e-6);
    EXPECT_NEAR(result_of("accuracy", y_true, y_pred, weights), c.at("accuracy_weighted").get<double>(), 1e-6);
    const Metric direct = c.at("resolved").get<std::string>();
    EXPECT_EQ(result_of(direct, y_true, y_pred), result_of("accuracy", y_true, y_pred));
  }
  EXPECT_GE(golden.at("cases").size(), 9u);
}

/// Both batches of a case; the results after each.
void expect_results(Metric metric, const nlohmann::json& c, const char* kind) {
  SCOPED_TRACE(kind);
  metric.reset_state();
  const Dim half = c.at("half").get<Dim>();
  const auto part = [&](const char* key, Dim first, Dim last) {
    if (!c.contains(key)) return Tensor();
    const Tensor whole = golden_tensor(c.at(key));
    std::vector<Dim> begin(static_cast<std::size_t>(whole.rank()), 0), end(begin.size(), None);
    begin[0] = first;
    end[0] = last;
    return ops::slice(whole, begin, end);
  };
  for (int batch = 0; batch < 2; ++batch) {
    const Dim first = batch == 0 ? 0 : half, last = batch == 0 ? half : None;
    const Tensor weights = std::string(kind) == "weighted" ? part("sample_weight", first, last) : Tensor();
    metric.update_state(part("y_true", first, last), part("y_pred", first, last), weights, part("mask", first, last));
    const auto found = metric.results();
    const auto expected = c.at(kind)[static_cast<std::size_t>(batch)].get<std::vector<double>>();
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_NEAR(found[i], expected[i], 1e-5 * std::max(1.0, std::abs(expected[i]))) << "batch " << batch;
    }
  }
}

TEST(Metric, EqualsKeras) {
  const auto golden = testing::read_golden("metrics.json");
  for (const auto& c : golden.at("metrics")) {
    SCOPED_TRACE(c.at("name").get<std::string>());
    const nlohmann::json serialized{{"class_name", c.at("class_name")}, {"config", c.at("config")}};
    const Metric metric = Metric::from_config(Config::from_json(serialized.dump()));
    EXPECT_EQ(nlohmann::json::parse(metric->get_config().to_json()), c.at("config"));
    expect_results(metric, c, "plain");
    expect_results(metric, c, "weighted");
  }
  EXPECT_GE(golden.at("metrics").size(), 50u);
}

TEST(Metric, BinaryAccuracyAveragesTheLastAxis) {
  const Tensor y_true = constant({1, 0, 1, 1}, {2, 2});
  const Tensor y_pred = constant({0.6f, 0.5f, 0.4f, 0.9f}, {2, 2});
  EXPECT_EQ(values_of(metrics::BinaryAccuracy(), y_true, y_pred).to_vector<float>(), (std::vector<float>{1.0f, 0.5f}));
  EXPECT_EQ(values_of(metrics::BinaryAccuracy(0.7), y_true, y_pred).to_vector<float>(),
            (std::vector<float>{0.5f, 0.5f}));
  EXPECT_THROW(metrics::BinaryAccuracy(0.0), ConfigError);
  EXPECT_THROW(metrics::BinaryAccuracy(1.0), ConfigError);
}

TEST(Metric, AccuracyOfAFlatOutputIsBinary) {
  const Tensor values = values_of("acc", constant({1, 0}, {2}), constant({0.9f, 0.8f}, {2}));
  EXPECT_EQ(values.to_vector<float>(), (std::vector<float>{1.0f, 0.0f}));
}

TEST(Metric, FirstMaximumCounts) {
  const Tensor y_pred = constant({2.0f, 2.0f, 0.0f, 1.0f, 3.0f, 3.0f}, {2, 3});
  const Metric sparse = metrics::SparseCategoricalAccuracy();
  for (const Dtype dtype : {Dtype::uint8, Dtype::int32, Dtype::int64, Dtype::float32}) {
    const Tensor labels = ops::cast(constant({0, 2}, {2, 1}), dtype);
    EXPECT_EQ(values_of(sparse, labels, y_pred).to_vector<float>(), (std::vector<float>{1.0f, 0.0f}));
  }
  const Tensor one_hot = ops::one_hot(constant({0, 1}, {2}), 3);
  EXPECT_EQ(values_of(metrics::CategoricalAccuracy(), one_hot, y_pred).to_vector<float>(), (std::vector<float>{1, 1}));
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
  EXPECT_FLOAT_EQ(values_of("mse", y_true, y_pred).item<float>(), 6.5f);
}

TEST(Metric, ShapesThatDoNotFitAreErrors) {
  const Tensor y_pred = placeholder({{None, 3}, Dtype::float32});
  EXPECT_THROW(values_of("accuracy", placeholder({{None, 4}, Dtype::float32}), y_pred), ShapeError);
  const Tensor labels = placeholder({{None, 3}, Dtype::int32});
  EXPECT_THROW(values_of(metrics::SparseCategoricalAccuracy(), labels, y_pred), ShapeError);
}

}  // namespace
}  // namespace strata
