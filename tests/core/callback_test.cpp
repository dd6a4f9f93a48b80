// SPDX-License-Identifier: Apache-2.0
#include "core/training/callback.h"

#include <gtest/gtest.h>

#include <fstream>

#include "core/base/error.h"
#include "core/training/callbacks/callbacks.h"
#include "core/training/model.h"
#include "tests/support/expect_error.h"
#include "tests/support/files.h"
#include "tests/support/golden_values.h"

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
  Model model() const override { throw InternalError("no model"); }
  std::optional<bool> larger_is_better(const std::string& log) const override { return log != "val_loss"; }
  void stop_training() override { stopped = true; }
  double learning_rate() const override { return rate; }
  void set_learning_rate(double learning_rate) override { rate = learning_rate; }
  void on_rank_0(const std::string&, const std::function<void()>& act) override { act(); }
  void save_run(const std::string&, int) override { throw InternalError("no run"); }
  bool resume_run(const std::string&) override { return false; }
  void remove_runs(const std::string&) override {}
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

/// Gives the callback the recorded values of its log, one an epoch, until it stops; the learning rates after each.
std::vector<double> watch(Callback& callback, Control& control, const nlohmann::json& golden, const std::string& key) {
  callback.attach(&control, {});
  callback.on_train_begin();
  std::vector<double> rates;
  for (const double value : golden.at("values").get<std::vector<double>>()) {
    const int epoch = static_cast<int>(rates.size());
    callback.on_epoch_begin(epoch);
    Logs logs{{"loss", 1.0}, {key, value}};
    callback.on_epoch_end(epoch, logs);
    rates.push_back(control.rate);
    if (control.stopped) break;
  }
  return rates;
}

TEST(Callbacks, StopAndReduceWhenKerasDoes) {
  const auto golden = testing::read_golden("callbacks.json");
  for (const auto& c : golden.at("cases")) {
    SCOPED_TRACE(c.at("name").get<std::string>());
    const auto& config = c.at("config");
    const std::string key = c.at("key");
    Control control;
    if (c.at("class_name") == "EarlyStopping") {
      callbacks::EarlyStopping stopping({.monitor = key,
                                         .min_delta = config.value("min_delta", 0.0),
                                         .patience = config.value("patience", 0),
                                         .mode = config.value("mode", "auto"),
                                         .baseline = config.contains("baseline")
                                                         ? std::optional<double>(config["baseline"].get<double>())
                                                         : std::nullopt,
                                         .start_from_epoch = config.value("start_from_epoch", 0)});
      EXPECT_EQ(watch(stopping, control, golden, key).size(), c.at("epochs").get<std::size_t>());
      EXPECT_EQ(stopping.stopped_epoch(), c.at("stopped_epoch").get<int>());
      EXPECT_EQ(stopping.best_epoch(), c.at("best_epoch").get<int>());
      EXPECT_EQ(stopping.best(), c.at("best").get<double>());
    } else {
      callbacks::ReduceLROnPlateau reduce({.factor = config.value("factor", 0.1),
                                           .patience = config.value("patience", 10),
                                           .min_delta = config.value("min_delta", 1e-4),
                                           .cooldown = config.value("cooldown", 0),
                                           .min_lr = config.value("min_lr", 0.0)});
      const auto rates = watch(reduce, control, golden, key);
      const auto expected = c.at("rates").get<std::vector<double>>();
      ASSERT_EQ(rates.size(), expected.size());
      for (std::size_t i = 0; i < rates.size(); ++i) EXPECT_NEAR(rates[i], expected[i], 1e-6 * expected[i]) << i;
    }
  }
  EXPECT_EQ(golden.at("cases").size(), 12u);
}

TEST(Callbacks, WriteTheFileThatKerasWrites) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory.path() + "/log.csv";
  const auto golden = testing::read_golden("callbacks.json");
  const auto run = [&](bool append) {
    callbacks::CSVLogger logger(path, {.append = append});
    Control control;
    logger.attach(&control, {});
    logger.on_train_begin();
    Logs first{{"loss", 0.1}, {"accuracy", 1e-07}};
    Logs second{{"loss", 123456789.0}, {"accuracy", 0.3414202034473419}, {"val_loss", 2.0}};
    logger.on_epoch_end(0, first);
    logger.on_epoch_end(1, second);
    logger.on_train_end(second);
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const std::string expected = golden.at("csv");
  EXPECT_EQ(run(false), expected);
  EXPECT_EQ(run(true), expected + expected.substr(expected.find('\n') + 1));
  callbacks::CSVLogger nowhere(directory.path() + "/none/log.csv");
  nowhere.attach(nullptr, {});
  EXPECT_THROW(nowhere.on_train_begin(), IoError);
}

TEST(Callbacks, RefuseWhatCannotBe) {
  EXPECT_THROW(callbacks::ReduceLROnPlateau({.factor = 1.0}), ConfigError);
  EXPECT_THROW(callbacks::EarlyStopping({.mode = "best"}), ConfigError);
  EXPECT_THROW(callbacks::CSVLogger("x", {.separator = ""}), ConfigError);
  callbacks::TerminateOnNaN terminate;
  Control control;
  terminate.attach(&control, {});
  terminate.on_train_batch_end(0, {{"loss", 1.0}});
  EXPECT_FALSE(control.stopped);
  terminate.on_train_batch_end(1, {{"loss", std::nan("")}});
  EXPECT_TRUE(control.stopped);
  EXPECT_THROW(callbacks::TerminateOnNaN(true).on_train_batch_end(0, {{"loss", HUGE_VAL}}), ConfigError);
}

}  // namespace
}  // namespace strata
