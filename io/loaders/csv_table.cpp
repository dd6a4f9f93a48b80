// SPDX-License-Identifier: Apache-2.0
#include "io/loaders/csv_table.h"

#include <charconv>

#include "core/base/error.h"

namespace strata::loaders {

void CsvIndex::add(std::string_view text) {
  for (const char c : text) {
    if (!in_record_ && c != '\n' && c != '\r') {
      begins_.push_back(at_);
      in_record_ = true;
    }
    if (c == '"') quoted_ = !quoted_;  // a doubled one closes and opens
    if (c == '\n' && !quoted_) in_record_ = false;
    ++at_;
  }
}

bool CsvIndex::finish() {
  begins_.push_back(at_);
  return !quoted_;
}

std::vector<std::string> csv_fields(std::string_view record, char delimiter) {
  while (record.ends_with('\n') || record.ends_with('\r')) record.remove_suffix(1);
  std::vector<std::string> fields(1);
  std::size_t at = 0;
  while (at < record.size()) {
    if (record[at] == '"') {
      for (++at;; ++at) {
        if (at >= record.size()) throw ConfigError("a quote is not closed");
        if (record[at] != '"') fields.back() += record[at];
        else if (at + 1 < record.size() && record[at + 1] == '"') fields.back() += record[at++];
        else break;
      }
      ++at;
      if (at < record.size() && record[at] != delimiter) throw ConfigError("expected a delimiter after a quoted field");
    } else {
      const std::size_t end = std::min(record.find(delimiter, at), record.size());
      fields.back() += record.substr(at, end - at);
      at = end;
    }
    if (at < record.size()) {
      ++at;
      fields.emplace_back();
    }
  }
  return fields;
}

double csv_number(std::string_view field) {
  std::string_view text = field;
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  throw ConfigError("expected a number, received \"" + std::string(field.substr(0, 40)) + "\"");
}

}  // namespace strata::loaders
