// SPDX-License-Identifier: Apache-2.0
#include "core/training/callback.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/expect_error.h"

namespace strata {
namespace {

TEST(Logs, AreFoundByName) {
  const Logs logs{{"loss", 0.5}, {"val_loss", 0.25}};
  ASSERT_NE(find_log(logs, "val_loss"), nullptr);
  EXPECT_EQ(*find_log(logs, "val_loss"), 0.25);
  EXPECT_EQ(find_log(logs, "accuracy"), nullptr);
}

TEST(History, KeepsOneValueAnEpochInTheOrderOfTheLogs) {
  History history;
  history.append(2, {{"loss", 0.5}, {"accuracy", 0.75}});
  history.append(3, {{"loss", 0.25}, {"accuracy", 0.875}});
  EXPECT_EQ(history.epoch, (std::vector<int>{2, 3}));
  EXPECT_EQ(history.history[0].first, "loss");
  EXPECT_EQ(history.at("loss"), (std::vector<double>{0.5, 0.25}));
  EXPECT_EQ(history.at("accuracy"), (std::vector<double>{0.75, 0.875}));
}

TEST(History, NamesWhatThereIs) {
  History history;
  history.append(0, {{"loss", 0.5}, {"accuracy", 0.75}});
  testing::expect_error<ConfigError>([&] { history.at("acc"); },
                                     "History: expected one of [loss, accuracy], received 'acc'");
}

struct Recorder : Callback {
  void on_train_begin() override {
    control().set_learning_rate(parameters().batch_size * control().learning_rate());
    control().stop_training();
  }
};

struct Control : TrainingControl {
  void stop_training() override { stopped = true; }
  double learning_rate() const override { return rate; }
  void set_learning_rate(double learning_rate) override { rate = learning_rate; }
  double rate = 0.5;
  bool stopped = false;
};

TEST(Callback, ReachesWhatItWasAttachedTo) {
  Control control;
  Recorder recorder;
  TrainingParameters parameters;
  parameters.batch_size = 4;
  recorder.attach(&control, parameters);
  recorder.on_train_begin();
  EXPECT_EQ(control.rate, 2.0);
  EXPECT_TRUE(control.stopped);
}

}  // namespace
}  // namespace strata
