// SPDX-License-Identifier: Apache-2.0
// The lines of a summary: rows of cells in columns, rules between them, frames around the layers of nested models.
#pragma once

#include <string>
#include <vector>

#include "core/model/summary.h"

namespace strata {

/// Widths count characters of UTF-8 text, not bytes.
class SummaryTable {
 public:
  /// With or without a column for connections. Throws ConfigError when the options give no such columns.
  SummaryTable(bool connected, const SummaryOptions& options);

  bool connected() const { return connected_; }
  bool shows_trainable() const { return headers_.size() > (connected_ ? 4U : 3U); }
  const std::vector<std::string>& headers() const { return headers_; }

  /// One cell a column, each cut at the end of its column. `level` counts the frames around the row.
  std::string row(const std::vector<std::string>& cells, int level = 0) const;
  /// A line of one character, '_' or '=', within `level` frames.
  std::string rule(char mark, int level = 0) const;
  /// The upper or lower edge of a frame that has `level` others around it.
  std::string frame_top(int level) const;
  std::string frame_bottom(int level) const;

 private:
  std::string framed(const std::string& mark, int level) const;

  bool connected_;
  std::size_t width_;
  std::vector<std::size_t> ends_;
  std::vector<std::string> headers_;
};

}  // namespace strata
