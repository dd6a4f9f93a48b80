// SPDX-License-Identifier: Apache-2.0
#include "core/training/progress_bar.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

namespace strata {
namespace {

constexpr int kCells = 30;
constexpr double kInterval = 0.05;  // seconds between two drawings

void write_stdout(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

std::chrono::duration<double> steady_time() { return std::chrono::steady_clock::now().time_since_epoch(); }

/// "  64/1000", as wide as it will be at the end.
std::string count(Dim current, Dim target) {
  return fmt::format("{:>{}}/{}", current, std::to_string(target).size(), target);
}

/// "[====>....]": 30 cells.
std::string cells(Dim current, Dim target) {
  const int filled = static_cast<int>(kCells * (static_cast<double>(current) / static_cast<double>(target)));
  std::string text = "[";
  if (filled > 0) text += std::string(static_cast<std::size_t>(filled - 1), '=') + (current < target ? '>' : '=');
  return text + std::string(static_cast<std::size_t>(kCells - filled), '.') + "]";
}

std::string remaining(double seconds) {
  const auto s = static_cast<long long>(seconds);
  if (seconds > 3600) return fmt::format("{}:{:02}:{:02}", s / 3600, s % 3600 / 60, s % 60);
  if (seconds > 60) return fmt::format("{}:{:02}", s / 60, s % 60);
  return fmt::format("{}s", s);
}

std::string time_of_one(double seconds) {
  if (seconds >= 1 || seconds == 0) return fmt::format("{:.0f}s", seconds);
  if (seconds >= 1e-3) return fmt::format("{:.0f}ms", seconds * 1e3);
  return fmt::format("{:.0f}us", seconds * 1e6);
}

/// `size` is what decides between the two formats: the bar takes the magnitude, the line of verbose 2 the signed value.
std::string value_text(double value, double size) {
  if (std::isnan(value)) return "nan";
  return size > 1e-3 ? fmt::format("{:.4f}", value) : fmt::format("{:.4e}", value);
}

std::string values_text(const Logs& logs, int verbose) {
  std::string text;
  for (const auto& [name, value] : logs) {
    text += " - " + name + ": " + value_text(value, verbose == 1 ? std::abs(value) : value);
  }
  return text;
}

}  // namespace

ProgressBar::ProgressBar(Options options) : options_(std::move(options)) {
  if (!options_.write) options_.write = write_stdout;
  if (!options_.clock) options_.clock = steady_time;
  start_ = options_.clock();
}

void ProgressBar::update(Dim current, const Logs& logs) {
  seen_ = current;
  const bool complete = options_.target > 0 && current >= options_.target;
  if (options_.verbose != 1 || complete) return;
  const auto now = options_.clock();
  if (last_ && (now - *last_).count() < kInterval) return;
  last_ = now;
  draw(current, (now - start_).count(), logs, false);
}

void ProgressBar::finish(const Logs& logs, Dim done) {
  if (options_.verbose != 1 && options_.verbose != 2) return;
  if (options_.target == 0) options_.target = done == None ? seen_ : done;
  const Dim current = done == None ? options_.target : done;
  const double elapsed = (options_.clock() - start_).count();
  if (options_.verbose == 1) {
    draw(current, elapsed, logs, true);
  } else {
    options_.write(fmt::format("{} - {:.0f}s{}\n", count(current, options_.target), elapsed, values_text(logs, 2)));
  }
}

void ProgressBar::draw(Dim current, double elapsed, const Logs& logs, bool finished) {
  const Dim target = options_.target;
  std::string text =
      target > 0 ? count(current, target) + " " + cells(current, target) : fmt::format("{:7}/Unknown", current);
  const double one = current > 0 ? elapsed / static_cast<double>(current) : 0.0;
  if (target > 0 && !finished) {
    text += " - ETA: " + remaining(one * static_cast<double>(target - current));
  } else {
    text += fmt::format(" - {:.0f}s {}/{}", elapsed, time_of_one(one), options_.unit);
  }
  text += values_text(logs, 1);

  const std::size_t old_width = width_;
  width_ = text.size();
  if (old_width > width_) text.append(old_width - width_, ' ');
  const std::string begin = options_.dynamic ? std::string(old_width, '\b') + "\r" : "\n";
  options_.write(begin + text + (finished ? "\n" : ""));
}

bool stdout_is_terminal() { return isatty(STDOUT_FILENO) == 1; }

}  // namespace strata
