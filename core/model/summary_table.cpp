// SPDX-License-Identifier: Apache-2.0
#include "core/model/summary_table.h"

#include <algorithm>

#include "core/base/config.h"
#include "core/base/error.h"

namespace strata {
namespace {

constexpr std::size_t kTrainableWidth = 11;  // as in Keras

/// Bytes of the first `characters` characters of UTF-8 text.
std::size_t bytes_of(const std::string& text, std::size_t characters) {
  std::size_t at = 0;
  for (; at < text.size() && characters > 0; --characters) {
    do ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  }
  return at;
}

std::size_t characters_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

/// Cut or filled with spaces.
void fit(std::string& text, std::size_t characters) {
  text.resize(bytes_of(text, characters));
  text.append(characters - characters_of(text), ' ');
}

/// The columns' ends in characters: increasing, the first one at least 1.
std::vector<std::size_t> column_ends(const std::vector<double>& positions, std::size_t columns, std::size_t width) {
  std::vector<std::size_t> ends;
  const double unit = !positions.empty() && positions.back() <= 1.0 ? static_cast<double>(width) : 1.0;
  bool fits = positions.size() == columns;
  for (const double position : positions) {
    const double end = position * unit;
    fits = fits && end >= 1.0 && end <= 10000.0 && (ends.empty() || end >= static_cast<double>(ends.back() + 1));
    ends.push_back(fits ? static_cast<std::size_t>(end) : 0);
  }
  if (fits) return ends;
  throw ConfigError("summary: expected " + std::to_string(columns) +
                    " increasing positions, the ends of the columns in characters or as parts of the line of " +
                    std::to_string(width) + " characters. Received: positions=" +
                    Config(Config::List(positions.begin(), positions.end())).to_json());
}

}  // namespace

SummaryTable::SummaryTable(bool connected, const SummaryOptions& options)
    : connected_(connected), headers_{"Layer (type)", "Output Shape", "Param #"} {
  if (options.line_length < 0 || options.line_length > 10000) {
    throw ConfigError("summary: expected a line_length from 1 to 10000 characters, or 0 for Keras' own. Received: " +
                      ("line_length=" + std::to_string(options.line_length)));
  }
  if (connected) headers_.emplace_back("Connected to");
  width_ = static_cast<std::size_t>(options.line_length);
  if (width_ == 0) width_ = connected ? 98 : 65;
  const std::vector<double> defaults = connected ? std::vector{0.33, 0.55, 0.67, 1.0} : std::vector{0.45, 0.85, 1.0};
  ends_ = column_ends(options.positions.empty() ? defaults : options.positions, headers_.size(), width_);
  if (!options.show_trainable) return;
  width_ += kTrainableWidth;
  ends_.push_back(std::max(width_, ends_.back() + 1));
  headers_.emplace_back("Trainable");
}

// The last character of a column gives way to the space before the next one.
std::string SummaryTable::row(const std::vector<std::string>& cells, int level) const {
  const auto frames = static_cast<std::size_t>(level);
  std::string line = level == 0 ? "" : std::string(frames, '|') + " ";
  for (std::size_t i = 0; i < cells.size(); ++i) {
    line += cells[i];
    const bool last = i + 1 == cells.size();
    const std::size_t end = last ? ends_[i] - std::min(frames, ends_[i]) : ends_[i] - 1;
    fit(line, end);
    if (!last) line += ' ';
  }
  return line + std::string(frames, '|');
}

std::string SummaryTable::framed(const std::string& mark, int level) const {
  const auto frames = static_cast<std::size_t>(level);
  std::string line(frames, '|');
  for (std::size_t i = 2 * frames; i < width_; ++i) line += mark;
  return line + std::string(frames, '|');
}

std::string SummaryTable::rule(char mark, int level) const { return framed(std::string(1, mark), level); }
std::string SummaryTable::frame_top(int level) const { return framed("\u00AF", level + 1); }
std::string SummaryTable::frame_bottom(int level) const { return framed("\u00AF", level); }

}  // namespace strata
