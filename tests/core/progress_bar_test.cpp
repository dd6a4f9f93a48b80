// SPDX-License-Identifier: Apache-2.0
#include "core/training/progress_bar.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace strata {
namespace {

/// A bar with a clock that the test sets, and what it wrote.
struct Screen {
  explicit Screen(Dim target, int verbose = 1, bool dynamic = false, const std::string& unit = "sample")
      : bar({.target = target,
             .unit = unit,
             .verbose = verbose,
             .dynamic = dynamic,
             .write = [this](const std::string& part) { text += part; },
             .clock = [this] { return std::chrono::duration<double>(now); }}) {}
  /// What was written since the last call.
  std::string take() { return std::exchange(text, {}); }

  std::string text;
  double now = 1000.0;
  ProgressBar bar;
};

std::string repeated(char c, int n) { return std::string(static_cast<std::size_t>(n), c); }

TEST(ProgressBar, FinalLineOfTheGuide) {
  Screen screen(48000);
  screen.now += 2.64;
  screen.bar.finish({{"loss", 0.3414}, {"accuracy", 0.9036}, {"val_loss", 0.18721}, {"val_accuracy", 0.94508}});
  EXPECT_EQ(screen.take(),
            "\n48000/48000 [==============================] - 3s 55us/sample - loss: 0.3414 - "
            "accuracy: 0.9036 - val_loss: 0.1872 - val_accuracy: 0.9451\n");
}

TEST(ProgressBar, RunningLine) {
  Screen screen(48000);
  screen.now += 0.5;
  screen.bar.update(4800, {{"loss", 1.25}});
  EXPECT_EQ(screen.take(), "\n 4800/48000 [==>...........................] - ETA: 4s - loss: 1.2500");
}

TEST(ProgressBar, CellsFillFromTheLeft) {
  const auto cells = [](Dim current, Dim target) {
    Screen screen(target);
    screen.bar.update(current, {});
    const std::string text = screen.take();
    return text.substr(text.find('['), 32);
  };
  EXPECT_EQ(cells(0, 90), "[" + repeated('.', 30) + "]");
  EXPECT_EQ(cells(2, 90), "[" + repeated('.', 30) + "]");
  EXPECT_EQ(cells(3, 90), "[>" + repeated('.', 29) + "]");
  EXPECT_EQ(cells(45, 90), "[" + repeated('=', 14) + ">" + repeated('.', 15) + "]");
  EXPECT_EQ(cells(89, 90), "[" + repeated('=', 28) + ">.]");
}

TEST(ProgressBar, TimeLeft) {
  const auto left = [](double seconds) {
    Screen screen(2);
    screen.now += seconds;  // one of two units is done
    screen.bar.update(1, {});
    const std::string text = screen.take();
    return text.substr(text.find("ETA: ") + 5);
  };
  EXPECT_EQ(left(0.0), "0s");
  EXPECT_EQ(left(5.9), "5s");
  EXPECT_EQ(left(60.0), "60s");
  EXPECT_EQ(left(61.5), "1:01");
  EXPECT_EQ(left(3600.0), "60:00");
  EXPECT_EQ(left(3725.0), "1:02:05");
}

TEST(ProgressBar, TimeOfOneUnit) {
  const auto unit = [](double seconds, Dim target) {
    Screen screen(target, 1, false, "step");
    screen.now += seconds;
    screen.bar.finish({});
    const std::string text = screen.take();
    return text.substr(text.find("] - ") + 4);
  };
  EXPECT_EQ(unit(0.0, 4), "0s 0s/step\n");
  EXPECT_EQ(unit(12.0, 4), "12s 3s/step\n");
  EXPECT_EQ(unit(2.0, 400), "2s 5ms/step\n");
  EXPECT_EQ(unit(0.75, 10000), "1s 75us/step\n");
}

TEST(ProgressBar, SmallValuesGetAnExponent) {
  Screen screen(1);
  screen.bar.finish({{"a", 0.00101},
                     {"b", 0.001},
                     {"c", -2.5},
                     {"d", 0.0},
                     {"e", std::nan("")},
                     {"f", std::numeric_limits<double>::infinity()}});
  const std::string text = screen.take();
  EXPECT_EQ(text.substr(text.find(" - a")),
            " - a: 0.0010 - b: 1.0000e-03 - c: -2.5000 - d: 0.0000e+00 - e: nan - f: inf\n");
}

TEST(ProgressBar, ATerminalIsRedrawnInPlaceAndOldTextCovered) {
  Screen screen(100, 1, true);
  screen.now += 1.0;
  screen.bar.update(10, {{"loss", 0.0001}});
  const std::string first = " 10/100 [==>...........................] - ETA: 9s - loss: 1.0000e-04";
  EXPECT_EQ(screen.take(), "\r" + first);
  screen.now += 1.0;
  screen.bar.update(20, {{"loss", 0.5}});
  const std::string second = " 20/100 [=====>........................] - ETA: 8s - loss: 0.5000";
  const int shorter = static_cast<int>(first.size() - second.size());
  EXPECT_EQ(screen.take(), repeated('\b', static_cast<int>(first.size())) + "\r" + second + repeated(' ', shorter));
  screen.now += 8.0;
  screen.bar.finish({{"loss", 0.5}});
  EXPECT_EQ(screen.take(), repeated('\b', static_cast<int>(second.size())) +
                               "\r100/100 [==============================] - 10s 100ms/sample - loss: 0.5000\n");
}

TEST(ProgressBar, DrawsAtMostEveryFiftyMilliseconds) {
  Screen screen(100);
  screen.bar.update(1, {});
  EXPECT_NE(screen.take(), "");
  screen.now += 0.049;
  screen.bar.update(2, {});
  EXPECT_EQ(screen.take(), "");
  screen.now += 0.002;
  screen.bar.update(3, {});
  EXPECT_NE(screen.take(), "");
  screen.bar.finish({});
  EXPECT_NE(screen.take(), "");
}

TEST(ProgressBar, TheLastUnitIsLeftToFinish) {
  Screen screen(10);
  screen.bar.update(10, {});
  EXPECT_EQ(screen.take(), "");
}

TEST(ProgressBar, TrainingThatStopsEarlyShowsWhatWasDone) {
  Screen screen(100);
  screen.now += 3.0;
  screen.bar.finish({{"loss", 0.5}}, 30);
  EXPECT_EQ(screen.take(), "\n 30/100 [========>.....................] - 3s 100ms/sample - loss: 0.5000\n");
}

TEST(ProgressBar, UnknownTarget) {
  Screen screen(0, 1, false, "step");
  screen.now += 2.0;
  screen.bar.update(20, {{"loss", 0.5}});
  EXPECT_EQ(screen.take(), "\n     20/Unknown - 2s 100ms/step - loss: 0.5000");
  screen.bar.finish({{"loss", 0.5}});
  EXPECT_EQ(screen.take(), "\n20/20 [==============================] - 2s 100ms/step - loss: 0.5000\n");
}

TEST(ProgressBar, VerboseTwoWritesOneLine) {
  Screen screen(48000, 2);
  screen.bar.update(64, {{"loss", 2.0}});
  EXPECT_EQ(screen.take(), "");
  screen.now += 3.2;
  screen.bar.finish({{"loss", 0.3414}, {"accuracy", 0.9036}, {"score", -2.0}});
  EXPECT_EQ(screen.take(), "48000/48000 - 3s - loss: 0.3414 - accuracy: 0.9036 - score: -2.0000e+00\n");
}

TEST(ProgressBar, VerboseZeroIsSilent) {
  Screen screen(10, 0);
  screen.bar.update(5, {{"loss", 1.0}});
  screen.bar.finish({{"loss", 1.0}});
  EXPECT_EQ(screen.take(), "");
}

}  // namespace
}  // namespace strata
