// SPDX-License-Identifier: Apache-2.0
// Internal to loaders: a CSV file as records that are read one by one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/shape.h"

namespace strata::loaders {

/// Goes through the text of a CSV file (RFC 4180: fields may be quoted, and then hold delimiters, line ends and doubled
/// quotes; lines end with \n or \r\n) once, to find where its records begin. Empty lines are none.
class CsvIndex {
 public:
  /// The next bytes of the file.
  void add(std::string_view text);
  /// Behind the last byte. Returns whether no quote is left open.
  bool finish();
  /// Where records begin, and behind them the end of the last one.
  const std::vector<std::size_t>& begins() const { return begins_; }

 private:
  std::vector<std::size_t> begins_;
  std::size_t at_ = 0;
  bool quoted_ = false;
  bool in_record_ = false;
};

/// The fields of a record, without the line end. Throws ConfigError saying what is wrong with its quotes.
std::vector<std::string> csv_fields(std::string_view record, char delimiter);

/// The number that a field is, spaces around it apart. Throws ConfigError naming the field.
double csv_number(std::string_view field);

}  // namespace strata::loaders
