// SPDX-License-Identifier: Apache-2.0
// Losses, metrics, initializers and callbacks that users write in a few lines.
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/model/session.h"
#include "core/training/callbacks/callbacks.h"
#include "core/training/model.h"
#include "layers/layers.h"

namespace strata {
namespace {

Tensor my_mse(const Tensor& y_true, const Tensor& y_pred) { return ops::square(y_true - y_pred); }

class OwnFunctionsTest : public ::testing::Test {
 protected:
  static Model model() {
    const Tensor in = Input({3});
    const auto ramp = [](const Shape& shape, Dtype dtype, const RandomKey&) {
      return ops::cast(ops::iota(shape, 0), dtype) * 0.25;
    };
    return Model(in, layers::Dense(1, {.kernel_initializer = ramp})(in));
  }
  /// Loss and metrics of two epochs.
  template <class L>
  std::vector<double> train(const L& loss, const Metrics& metrics = {}) {
    Model m = model();
    m.compile({.optimizer = "sgd", .loss = loss, .metrics = metrics});
    const History history = m.fit(x_, y_, {.batch_size = 4, .epochs = 2, .verbose = 0, .shuffle = false, .blocks = 2});
    std::vector<double> all;
    for (const auto& [name, values] : history.history) all.insert(all.end(), values.begin(), values.end());
    return all;
  }

  const Tensor x_ = constant({1.f, 2.f, 3.f, 4.f, 5.f, 6.f, 7.f, 8.f, 9.f, 1.f, 2.f, 3.f, 1.f, 0.f, 1.f}, {5, 3}) * 0.1;
  const Tensor y_ = constant(std::vector<std::int64_t>{1, 0, 2, 1, 3}, {5});

 private:
  Session session_;
  SessionScope scope_{session_};
};

TEST_F(OwnFunctionsTest, APlainFunctionIsALoss) {
  const auto expected = train("mse");
  EXPECT_EQ(train(my_mse), expected);
  EXPECT_EQ(train(Loss(my_mse, "my_mse")), expected);
  EXPECT_EQ(train([](const Tensor& t, const Tensor& y) { return ops::square(t - y); }), expected);
  EXPECT_EQ(Loss(my_mse, "my_mse")->name(), "my_mse");
  const Tensor out = constant({0.5f, 1.f, 0.f, 2.f, 1.f}, {5, 1});
  EXPECT_EQ(Loss(my_mse)(y_, out).to_vector<float>(), Loss("mse")(y_, out).to_vector<float>());
}

TEST_F(OwnFunctionsTest, AFunctionMayReturnTheMeanOfItsBlock) {
  const auto mean = [](const Tensor& t, const Tensor& y) { return ops::mean(ops::square(t - y)); };
  const auto expected = train("mse"), found = train(mean);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-6);
}

TEST_F(OwnFunctionsTest, APlainFunctionIsAMetric) {
  const auto found = train("mse", {Metric(my_mse, "mine"), "mse"});
  ASSERT_EQ(found.size(), 6u);
  EXPECT_EQ(found[2], found[4]);
  EXPECT_EQ(found[3], found[5]);
}

TEST_F(OwnFunctionsTest, WhatReturnsNothingIsRefused) {
  EXPECT_THROW(train([](const Tensor&, const Tensor&) { return Tensor(); }), ConfigError);
}

/// The logs of every epoch.
class Recorder : public Callback {
 public:
  explicit Recorder(std::vector<double>* losses) : losses_(losses) {}
  void on_epoch_end(int, Logs& logs) override { losses_->push_back(*find_log(logs, "loss")); }

 private:
  std::vector<double>* losses_;
};

TEST_F(OwnFunctionsTest, CallbacksOfOnesOwnSeeTheLogs) {
  std::vector<double> by_class, by_function;
  Model m = model();
  m.compile({.optimizer = "sgd", .loss = my_mse});
  const auto record = [&](int, const Logs& logs) { by_function.push_back(*find_log(logs, "loss")); };
  const History history =
      m.fit(x_, y_,
            {.epochs = 3,
             .verbose = 0,
             .callbacks = {Recorder(&by_class), callbacks::LambdaCallback({.on_epoch_end = record})}});
  EXPECT_EQ(by_class, history.at("loss"));
  EXPECT_EQ(by_function, by_class);
}

}  // namespace
}  // namespace strata
