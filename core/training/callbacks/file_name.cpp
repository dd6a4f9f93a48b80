// SPDX-License-Identifier: Apache-2.0
#include "core/training/callbacks/file_name.h"

#include <fmt/format.h>

#include <string_view>
#include <variant>

#include "core/base/config.h"
#include "core/base/error.h"

namespace strata {
namespace {

using Value = std::variant<Dim, double>;

/// Replaces the fields of one pattern.
class FileName {
 public:
  FileName(const std::string& pattern, int epoch, std::optional<Dim> batch, const Logs& logs) : pattern_(pattern) {
    values_.emplace_back("epoch", Dim{epoch});
    for (const auto& [name, value] : logs) values_.emplace_back(name, value);
    if (batch && find_log(logs, "batch") == nullptr) values_.emplace_back("batch", *batch);
  }

  std::string text() const {
    std::string result;
    for (std::size_t at = 0; at < pattern_.size(); ++at) {
      const char c = pattern_[at];
      if (c != '{' && c != '}') {
        result += c;
      } else if (at + 1 < pattern_.size() && pattern_[at + 1] == c) {
        result += c;
        ++at;
      } else {
        const std::size_t end = pattern_.find('}', at);
        if (c == '}' || end == std::string::npos) refuse("a brace without its other one");
        result += field(pattern_.substr(at + 1, end - at - 1));
        at = end;
      }
    }
    return result;
  }

 private:
  /// "name" or "name:format".
  std::string field(const std::string& text) const {
    const std::size_t colon = text.find(':');
    const std::string name = text.substr(0, colon), format = colon == std::string::npos ? "" : text.substr(colon);
    for (const auto& [known, value] : values_) {
      if (known != name) continue;
      const double* number = std::get_if<double>(&value);
      if (number != nullptr && format.size() < 2) return Config(*number).to_json();  // "1.0", as Python
      try {
        return std::visit([&](auto v) { return fmt::format(fmt::runtime("{" + format + "}"), v); }, value);
      } catch (const fmt::format_error& error) {
        refuse("{" + text + "}: " + error.what());
      }
    }
    std::string names;
    for (const auto& [known, value] : values_) names += (names.empty() ? "" : ", ") + known;
    refuse("{" + text + "}: expected one of [" + names + "]");
  }

  [[noreturn]] void refuse(const std::string& why) const {
    throw ConfigError("Failed to format this callback filepath: \"" + pattern_ + "\". Reason: " + why);
  }

  const std::string& pattern_;
  std::vector<std::pair<std::string, Value>> values_;
};

}  // namespace

std::string file_name(const std::string& pattern, int epoch, std::optional<Dim> batch, const Logs& logs) {
  return FileName(pattern, epoch, batch, logs).text();
}

}  // namespace strata
